"""Beyond its limits a real Envoy refuses at once, in the client's words; what a client gives up ends upstream too."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

from control_plane import ir
from protos.contract.headers import ATTEMPTS_HEADER
from tests.kit.faults import Fault, faulty
from tests.kit.lab import Lab
from tests.kit.resilience import AGENT, chain, endpoint, instances

pytestmark = pytest.mark.xdist_group("envoy-resilience-overload")

BREAKER = ir.CircuitBreaker(max_connections=1, max_pending_requests=1, max_requests=1)


@asynccontextmanager
async def full(made: Lab, cluster: str) -> AsyncIterator[None]:
    """Have as much under way as the breaker lets through: one request that is answered never, one that waits for it."""
    held: list[asyncio.Task[httpx.Response]] = []
    for gauge in ("upstream_rq_active", "upstream_rq_pending_active"):
        held.append(asyncio.ensure_future(made.agents.post("/", json={})))
        await made.envoy.until(f"cluster.{cluster}.{gauge}", 1)
    try:
        yield
    finally:
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", {"type": "server_error", "code": "overloaded"}),
        ("/v1/messages", {"type": "overloaded_error"}),
    ],
)
async def test_what_is_too_much_is_refused_at_once(path: str, body: dict[str, str]) -> None:
    async with faulty("a") as (a,), instances([endpoint(a)], circuit_breaker=BREAKER) as made:
        a.script(Fault.SILENT)
        async with full(made, AGENT):
            begun = time.monotonic()
            answer = await made.agents.post(path, json={})
            assert time.monotonic() - begun < 1
            assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
            assert body.items() <= answer.json()["error"].items()
            assert await made.envoy.stat(f"cluster.{AGENT}.circuit_breakers.default.remaining_rq") == 0


async def test_a_chain_whose_member_has_no_room_refuses_at_once_too() -> None:
    async with faulty("a", "b") as (a, b), chain([a, b], circuit_breaker=BREAKER) as made:
        a.script(Fault.SILENT)
        async with full(made, "target/agent/a"):
            answer = await made.agents.post("/v1/chat/completions", json={})
            # Envoy tries nothing again that a breaker refused.
            assert (answer.status_code, answer.json()["error"]["code"], b.received) == (503, "overloaded", [])


async def test_a_client_that_leaves_ends_the_request_upstream() -> None:
    async with faulty("a") as (a,), instances([endpoint(a)]) as made:
        a.script(Fault.SILENT)
        request = asyncio.ensure_future(made.agents.post("/", json={}))
        await made.envoy.until(f"cluster.{AGENT}.upstream_rq_active", 1)
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        await made.envoy.until(f"cluster.{AGENT}.upstream_rq_active", 0)
        await made.envoy.until(f"cluster.{AGENT}.upstream_cx_active", 0)


async def test_an_answer_that_lasts_too_long_is_cut_where_that_is_asked_for() -> None:
    async with faulty("a") as (a,), instances([endpoint(a)], route={"total_timeout_seconds": 0.3}) as made:
        a.script(503, Fault.SILENT)
        answer = await made.agents.post("/v1/chat/completions", json={})
        assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
        assert len(a.received) == 2


async def test_nothing_that_never_went_upstream_claims_attempts() -> None:
    async with faulty("a") as (a,), instances([endpoint(a)]) as made:
        refused = await made.egress.post("/v1/chat/completions", json={})
        assert (refused.status_code, refused.headers.get(ATTEMPTS_HEADER)) == (404, None)
