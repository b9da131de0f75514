"""Retries in a real Envoy: what is tried again, how often, how soon, and who may say so."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
import pytest_asyncio

from control_plane import ir
from protos.contract.headers import ATTEMPTS_HEADER
from tests.kit.decider import to_route
from tests.kit.faults import Fault, FaultyUpstream, Step, faulty
from tests.kit.lab import Lab, lab
from tests.kit.resilience import AGENT, RETRY, endpoint, instances, with_instances
from tests.kit.stub_upstream import Answer, always

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-resilience-retries")]


@dataclass(frozen=True, slots=True)
class World:
    lab: Lab
    upstream: FaultyUpstream

    async def ask(self, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.lab.agents.post("/v1/chat/completions", json={"messages": []}, headers=sent)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with faulty("a") as (upstream,), instances([endpoint(upstream)]) as made:
        yield World(made, upstream)


@pytest.fixture
def world(shared: World) -> World:
    shared.upstream.script(200)
    return shared


@pytest.mark.parametrize("fault", [429, 500, 502, 503, 504, Fault.RESET, Fault.CORRUPT])
async def test_a_passing_failure_is_tried_again(world: World, fault: Step) -> None:
    world.upstream.script(fault, fault, 200)
    answer = await world.ask()
    assert (answer.status_code, answer.headers[ATTEMPTS_HEADER]) == (200, "3")
    assert [request.body for request in world.upstream.received] == [b'{"messages":[]}'] * 3


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
async def test_what_the_client_did_wrong_is_not_tried_again(world: World, status: int) -> None:
    world.upstream.script(status)
    answer = await world.ask()
    assert (answer.status_code, len(world.upstream.received)) == (status, 1)


async def test_an_answer_that_has_begun_is_not_tried_again(world: World) -> None:
    world.upstream.script(Fault.CUT, 200)
    with pytest.raises(httpx.RemoteProtocolError):
        await world.ask()
    assert len(world.upstream.received) == 1


@pytest.mark.parametrize(("retries", "attempts"), [("0", 1), ("1", 2), ("4", 5)])
async def test_a_trusted_caller_says_how_often(world: World, retries: str, attempts: int) -> None:
    world.upstream.script(503)
    answer = await world.ask(x_envoy_max_retries=retries)
    assert (answer.status_code, len(world.upstream.received)) == (503, attempts)


async def test_a_trusted_caller_says_on_what(world: World) -> None:
    world.upstream.script(409, 200)
    answer = await world.ask(x_envoy_retry_on="retriable-4xx")
    assert (answer.status_code, len(world.upstream.received)) == (200, 2)


@pytest.mark.parametrize("header", ["x_envoy_upstream_rq_timeout_ms", "x_envoy_upstream_rq_per_try_timeout_ms"])
async def test_a_trusted_caller_says_how_long(world: World, header: str) -> None:
    world.upstream.script(Fault.SILENT)
    begun = time.monotonic()
    answer = await world.ask(**{header: "200"}, x_envoy_max_retries="0")
    assert (answer.status_code, answer.json()["error"]["code"]) == (504, "upstream_timeout")
    assert 0.15 < time.monotonic() - begun < 2


async def test_an_upstream_that_says_when_is_obeyed(world: World) -> None:
    world.upstream.script(Answer(429, headers={"retry-after": "1"}), 200)
    begun = time.monotonic()
    assert (await world.ask()).status_code == 200
    assert 0.9 < time.monotonic() - begun < 3


@pytest.mark.parametrize("wait", ["60", "Wed, 21 Oct 2037 07:28:00 GMT"])
async def test_an_upstream_that_asks_for_too_long_a_wait_is_not_asked_again(world: World, wait: str) -> None:
    world.upstream.script(Answer(429, headers={"retry-after": wait}), 200)
    answer = await world.ask()
    assert (answer.status_code, answer.headers["retry-after"], len(world.upstream.received)) == (429, wait, 1)
    assert "x-envoy-ratelimited" not in answer.headers


async def test_a_limit_that_stays_is_not_hammered(world: World) -> None:
    world.upstream.script(429)
    answer = await world.ask()
    assert (answer.status_code, len(world.upstream.received)) == (429, 1 + RETRY.attempts)


async def test_an_untrusted_caller_says_nothing() -> None:
    def distrust(gateway: ir.Gateway) -> ir.Gateway:
        changed = with_instances(gateway, [endpoint(upstream)], route={"response_timeout_seconds": 1.0})
        return replace(changed, internal_cidrs=("10.0.0.0/8",))

    async with faulty("a") as (upstream,), lab(lambda _asked: to_route(AGENT), always(Answer()), change=distrust) as made:
        upstream.script(503)
        await made.agents.post("/", json={}, headers={"x-envoy-max-retries": "9", "x-envoy-retry-on": "5xx"})
        assert len(upstream.received) == 1 + RETRY.attempts
        upstream.script(409)
        await made.agents.post("/", json={}, headers={"x-envoy-retry-on": "retriable-4xx"})
        upstream.script(Fault.SILENT)
        begun = time.monotonic()
        answer = await made.agents.post("/", json={}, headers={"x-envoy-upstream-rq-timeout-ms": "100"})
        assert (answer.status_code, time.monotonic() - begun > 0.9) == (504, True)
        [*_, request] = upstream.received
        assert not {"x-envoy-max-retries", "x-envoy-retry-on", "x-envoy-upstream-rq-timeout-ms"} & set(request.headers)


async def test_retries_have_a_budget() -> None:
    breaker = ir.CircuitBreaker(retry_budget_percent=20)
    async with faulty("a") as (upstream,), instances([endpoint(upstream)], circuit_breaker=breaker) as made:
        upstream.script(503)
        answers = await asyncio.gather(*(made.agents.post("/", json={}) for _ in range(60)))
        assert {answer.status_code for answer in answers} == {503}
        assert await made.envoy.stat(f"cluster.{AGENT}.upstream_rq_retry_overflow") > 0
        assert 60 <= len(upstream.received) < 60 * (1 + RETRY.attempts)
