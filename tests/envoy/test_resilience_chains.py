"""Chains in a real Envoy: an upstream that fails is followed by the next one at once, and used again when it is well."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace

import httpx
import pytest
import pytest_asyncio

from control_plane import ir
from control_plane.config.model import Resilience
from control_plane.gateway.retries import agent_failover, chain_retries
from protos.contract.headers import AGENT_HEADER, ATTEMPTS_HEADER
from tests.kit.decider import to_route
from tests.kit.faults import Fault, FaultyUpstream, Step, faulty
from tests.kit.lab import Lab, lab
from tests.kit.resilience import AGENT, OUTLIERS, RETRY, chain, endpoint, with_chain
from tests.kit.stub_upstream import Answer, always

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-resilience-chains")]

PER_TRY_SECONDS = 0.5


@dataclass(frozen=True, slots=True)
class World:
    lab: Lab
    a: FaultyUpstream
    b: FaultyUpstream
    c: FaultyUpstream

    async def ask(self, **headers: str) -> httpx.Response:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.lab.agents.post("/v1/chat/completions", json={"messages": []}, headers=sent)

    async def until_all_are_used(self) -> None:
        """Wait until nobody is ejected any more."""
        for upstream in (self.a, self.b, self.c):
            await self.lab.envoy.until(f"cluster.target/agent/{upstream.name}.outlier_detection.ejections_active", 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with (
        faulty("a", "b", "c") as upstreams,
        chain(upstreams, route={"response_timeout_seconds": PER_TRY_SECONDS}) as made,
    ):
        yield World(made, *upstreams)


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: World) -> World:
    for upstream in (shared.a, shared.b, shared.c):
        upstream.script(200)
    await shared.until_all_are_used()
    return shared


def seen(answer: httpx.Response) -> tuple[int, str, str]:
    return answer.status_code, answer.headers[AGENT_HEADER], answer.headers[ATTEMPTS_HEADER]


async def test_a_healthy_first_member_answers_alone(world: World) -> None:
    assert seen(await world.ask()) == (200, "a", "1")
    assert (len(world.b.received), len(world.c.received)) == (0, 0)


@pytest.mark.parametrize("fault", [500, 502, 503, 504, 429, Fault.RESET, Fault.SILENT, Fault.CORRUPT])
async def test_the_next_member_answers_when_one_fails_and_each_is_tried_once(world: World, fault: Step) -> None:
    world.a.script(fault)
    assert seen(await world.ask()) == (200, "b", "2")
    assert (len(world.a.received), len(world.b.received)) == (1, 1)


async def test_two_may_fail(world: World) -> None:
    world.a.script(Fault.SILENT)
    world.b.script(503)
    assert seen(await world.ask()) == (200, "c", "3")


async def test_each_attempt_has_the_host_and_the_key_of_its_member_and_no_other(world: World) -> None:
    world.a.script(503)
    await world.ask(x_key="of the client")
    for upstream in (world.a, world.b):
        [request] = upstream.received
        assert request.headers["host"] == f"{upstream.name}.example"
        assert request.headers["x-key"] == f"key of {upstream.name}"
        assert request.body == b'{"messages":[]}'


async def test_one_that_is_rate_limited_is_not_waited_for(world: World) -> None:
    world.a.script(Answer(429, headers={"retry-after": "60"}))
    begun = time.monotonic()
    assert seen(await world.ask()) == (200, "b", "2")
    assert time.monotonic() - begun < 1


async def test_the_clients_own_mistakes_are_not_tried_elsewhere(world: World) -> None:
    world.a.script(400)
    assert seen(await world.ask()) == (400, "a", "1")


async def test_when_all_fail_the_last_error_is_the_answer(world: World) -> None:
    world.a.script(503)
    world.b.script(500)
    world.c.script(Answer(503, b'{"busy":"c"}'))
    answer = await world.ask(x_envoy_max_retries="2")
    assert (seen(answer), answer.json()) == ((503, "c", "3"), {"busy": "c"})


async def test_a_trusted_caller_limits_the_attempts(world: World) -> None:
    world.a.script(503)
    assert seen(await world.ask(x_envoy_max_retries="0")) == (503, "a", "1")


async def test_one_that_is_down_is_left_alone_and_used_again_in_time(world: World) -> None:
    assert seen(await world.ask())[1] == "a"  # What it failed in before is no part of the row.
    await world.a.down()
    try:
        first = [await world.ask() for _ in range(OUTLIERS.consecutive_errors)]
        await world.lab.envoy.until("cluster.target/agent/a.outlier_detection.ejections_active", 1)
        others = [await world.ask() for _ in range(3)]
    finally:
        await world.a.up()
    assert [seen(answer) for answer in first] == [(200, "b", "2")] * 2
    assert [seen(answer) for answer in others] == [(200, "b", "1")] * 3
    async with asyncio.timeout(OUTLIERS.ejection_seconds + 1):
        while True:
            if seen(await world.ask())[1] == "a":
                return
            await asyncio.sleep(0.05)


async def test_when_all_are_left_alone_a_real_try_is_made(world: World) -> None:
    for upstream in (world.a, world.b, world.c):
        upstream.script(503)
    for _ in range(3):
        await world.ask()
    for upstream in (world.a, world.b, world.c):
        await world.lab.envoy.until(f"cluster.target/agent/{upstream.name}.outlier_detection.ejections_active", 1)
        upstream.script(200)
    assert (await world.ask()).status_code == 200


async def test_a_member_whose_instances_are_all_down_is_left_alone() -> None:
    async with faulty("a", "b") as (a, b), faulty("second") as (second,):

        def spread(gateway: ir.Gateway) -> ir.Gateway:
            made = with_chain(gateway, [a, b])
            clusters = tuple(
                replace(known, endpoints=(endpoint(a), endpoint(second))) if known.name == "agent/a" else known
                for known in made.clusters
            )
            return replace(made, clusters=clusters)

        async with lab(lambda _asked: to_route(AGENT, agent="weather"), always(Answer()), change=spread) as made:
            await a.down()
            await second.down()
            for _ in range(4):
                assert (await made.agents.post("/", json={})).status_code == 200
            await made.envoy.until("cluster.target/agent/a.outlier_detection.ejections_active", 2)
            assert seen(await made.agents.post("/", json={})) == (200, "b", "1")


async def test_a_dead_instance_of_the_fallback_costs_no_caller_an_answer() -> None:
    async with faulty("a", "b") as (a, b), faulty("second") as (second,):

        def spread(gateway: ir.Gateway) -> ir.Gateway:
            made = with_chain(
                gateway,
                [a, b],
                route={
                    "retry": replace(RETRY, attempts=chain_retries(agent_failover([1, 2]), Resilience.model_validate({}), None))
                },
            )
            clusters = tuple(
                replace(known, endpoints=(endpoint(b), endpoint(second)), outlier_detection=None)
                if known.name == "agent/b"
                else known
                for known in made.clusters
            )
            return replace(made, clusters=clusters)

        async with lab(lambda _asked: to_route(AGENT, agent="weather"), always(Answer()), change=spread) as made:
            await a.down()
            await second.down()
            answers = [await made.agents.post("/", json={}) for _ in range(40)]
    assert {answer.status_code for answer in answers} == {200}
    assert {answer.json()["from"] for answer in answers} == {"b"}
