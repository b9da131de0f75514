"""Several instances of one upstream in a real Envoy: shares, canaries, hashing, health, ejection."""

import asyncio
from collections import Counter
from collections.abc import Sequence

import httpx
import pytest

from control_plane import ir
from protos.contract.headers import ATTEMPTS_HEADER
from tests.kit.faults import HEALTH_PATH, Fault, FaultyUpstream, faulty
from tests.kit.lab import Lab
from tests.kit.resilience import AGENT, OUTLIERS, endpoint, instances

pytestmark = pytest.mark.xdist_group("envoy-resilience-instances")


async def ask(made: Lab, times: int, **headers: str) -> list[httpx.Response]:
    return [await made.agents.post("/", json={}, headers=headers) for _ in range(times)]


def shares(upstreams: Sequence[FaultyUpstream]) -> dict[str, int]:
    return {upstream.name: len(upstream.received) for upstream in upstreams}


async def test_instances_get_their_shares_and_canaries_are_counted_apart() -> None:
    async with faulty("a", "b") as (a, b):
        endpoints = [endpoint(a, weight=3), endpoint(b, weight=1, is_canary=True)]
        async with instances(endpoints, load_balancing=ir.LoadBalancing.ROUND_ROBIN) as made:
            await ask(made, 40)
            assert shares((a, b)) == {"a": 30, "b": 10}
            assert await made.envoy.stat(f"cluster.{AGENT}.canary.upstream_rq_200") == 10


@pytest.mark.parametrize("policy", [ir.LoadBalancing.LEAST_REQUEST, ir.LoadBalancing.RANDOM])
async def test_every_instance_is_used(policy: ir.LoadBalancing) -> None:
    async with (
        faulty("a", "b", "c") as upstreams,
        instances([endpoint(upstream) for upstream in upstreams], load_balancing=policy) as made,
    ):
        await ask(made, 60)
        assert min(shares(upstreams).values()) > 5


async def test_equal_headers_meet_the_same_instance() -> None:
    async with (
        faulty("a", "b", "c") as upstreams,
        instances(
            [endpoint(upstream) for upstream in upstreams],
            load_balancing=ir.LoadBalancing.RING_HASH,
            route={"hash_header": "x-session"},
        ) as made,
    ):
        met: dict[str, set[str]] = {}
        for session in [str(number) for number in range(20)] * 2:
            [answer] = await ask(made, 1, **{"x-session": session})
            met.setdefault(session, set()).add(answer.json()["from"])
        assert all(len(names) == 1 for names in met.values())
        assert len(set.union(*met.values())) == 3


async def test_a_failure_is_tried_again_on_another_instance_and_the_failing_one_is_left_alone() -> None:
    async with (
        faulty("a", "b") as (a, b),
        instances([endpoint(a), endpoint(b)], outlier_detection=OUTLIERS, load_balancing=ir.LoadBalancing.ROUND_ROBIN) as made,
    ):
        a.script(503)
        answers = await ask(made, 6)
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.headers[ATTEMPTS_HEADER] for answer in answers} <= {"1", "2"}
        await made.envoy.until(f"cluster.{AGENT}.outlier_detection.ejections_active", 1)
        a.script(200)
        await ask(made, 10)
        assert len(a.received) == 0
        await made.envoy.until(f"cluster.{AGENT}.outlier_detection.ejections_active", 0)
        await ask(made, 20)
        assert len(a.received) > 0


async def test_a_lone_instance_that_was_ejected_is_tried_all_the_same() -> None:
    async with faulty("a") as (a,), instances([endpoint(a)], outlier_detection=OUTLIERS) as made:
        a.script(503)
        await ask(made, 2)
        await made.envoy.until(f"cluster.{AGENT}.outlier_detection.ejections_active", 1)
        a.script(200)
        [answer] = await ask(made, 1)
        assert answer.status_code == 200


async def test_only_instances_that_are_well_get_requests() -> None:
    check = ir.HealthCheck(path=HEALTH_PATH, interval_seconds=0.1)
    async with faulty("a", "b", "c") as upstreams:
        a, b, _ = upstreams
        a.healthy = False
        async with instances([endpoint(upstream) for upstream in upstreams], health_check=check) as made:
            await made.envoy.until(f"cluster.{AGENT}.membership_healthy", 2)
            b.healthy = False
            await made.envoy.until(f"cluster.{AGENT}.membership_healthy", 1)
            await ask(made, 10)
            assert shares(upstreams) == {"a": 0, "b": 0, "c": 10}
            a.healthy = True
            await made.envoy.until(f"cluster.{AGENT}.membership_healthy", 2)
            await ask(made, 20)
            assert a.received


async def test_nobody_notices_an_instance_that_goes_down() -> None:
    async with (
        faulty("a", "b") as (a, b),
        instances([endpoint(a), endpoint(b)], outlier_detection=OUTLIERS) as made,
    ):
        await ask(made, 4)
        await a.down()
        try:
            answers = await asyncio.gather(*(made.agents.post("/", json={}) for _ in range(30)))
        finally:
            await a.up()
        assert Counter(answer.status_code for answer in answers) == {200: 30}


async def test_a_silent_instance_costs_one_wait() -> None:
    async with (
        faulty("a", "b") as (a, b),
        instances([endpoint(a), endpoint(b)], outlier_detection=OUTLIERS, route={"response_timeout_seconds": 0.3}) as made,
    ):
        a.script(Fault.SILENT)
        answers = await ask(made, 12)
        assert {answer.status_code for answer in answers} == {200}
        # Left alone after its first silence, for as long as this takes.
        assert len(a.received) <= 2
