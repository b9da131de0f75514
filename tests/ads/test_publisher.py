"""Publication as clients see it: the order of a change, and what is left of one that somebody rejects."""

import asyncio

import pytest

from control_plane.ads import Outcome, OutcomeKind, Snapshot, Timing
from control_plane.ads.types import CLUSTER, FILTER_CONFIG, LISTENER, ROUTE, Role
from protos import discovery_pb2 as pb
from tests.ads.world import Peer, World, generation, world

A, B, C = generation("a"), generation("b"), generation("c")
SLOW = Timing(grace_seconds=60)
IMPATIENT = Timing(ack_seconds=0.1, warm_seconds=0.1, grace_seconds=60)


async def published(here: World, candidate: Snapshot) -> Outcome:
    outcome = await here.publisher.publish(candidate)
    assert outcome.kind is OutcomeKind.PUBLISHED
    return outcome


def rejecting(type_url: str, content: bytes, message: str = "poison"):  # type: ignore[no-untyped-def]
    def judge(response: pb.DiscoveryResponse) -> str | None:
        return message if response.type_url == type_url and content in {r.value for r in response.resources} else None

    return judge


def contents(here: World, type_url: str) -> list[set[bytes]]:
    return [values for _, sent_type, values in here.log if sent_type == type_url]


async def test_the_first_configuration_is_served_as_it_is() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            assert here.publisher.good is A


async def test_without_clients_publication_just_completes() -> None:
    async with world() as here:
        await published(here, A)
        await published(here, B)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=B)
            assert envoy.has[LISTENER] == {"0": b"b"}


async def test_what_did_not_change_is_not_pushed() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=A)
            here.log.clear()
            outcome = await here.publisher.publish(generation("a"))
            assert outcome.kind is OutcomeKind.UNCHANGED
            await published(here, B)
            assert all(b"a" not in values for _, _, values in here.log), "old content was sent again"


async def test_a_change_goes_clusters_routes_decisions_listeners_and_then_removal() -> None:
    old, new = generation("a", agents=("weather", "flight")), generation("b", agents=("weather", "hotel"))
    async with world(merge=lambda old, new: old + new) as here:
        await published(here, old)
        async with here.envoy(agents=("weather", "flight", "hotel")) as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=old)
            here.log.clear()
            await published(here, new)
            await here.until(lambda: contents(here, ROUTE)[-1:] == [{b"b"}] and len(contents(here, CLUSTER)) == 2)
            changes = [(t, v) for _, t, v in here.log if t in {CLUSTER, ROUTE, FILTER_CONFIG, LISTENER}]
    assert changes == [
        (CLUSTER, {b"a", b"b"}),
        (ROUTE, {b"ab"}),
        (FILTER_CONFIG, {b"b"}),
        (LISTENER, {b"b"}),
        (ROUTE, {b"b"}),
        (CLUSTER, {b"b"}),
    ]


async def test_what_is_gone_stays_usable_during_the_grace_period() -> None:
    async with world(merge=lambda old, new: old + new, timing=SLOW) as here:
        await published(here, generation("a", agents=("flight",)))
        async with here.envoy(agents=("flight", "hotel")):
            await published(here, generation("b", agents=("hotel",)))
            view = here.views.of(Role.ENVOY)
            assert set(view.of_type(CLUSTER).values) == {"flight", "hotel"}
            assert set(view.of_type(ROUTE).values.values()) == {b"ab"}


async def test_the_next_step_waits_for_every_client() -> None:
    late = asyncio.Event()
    async with world(timing=SLOW) as here:
        await published(here, A)
        async with here.envoy("one") as one, here.envoy("two") as two, here.worker() as worker:
            await here.until_acked(one, two, worker, version=A)
            two.gate = lambda _: late.wait()
            publication = here.tasks.create_task(here.publisher.publish(B))
            await here.until(lambda: one.has[CLUSTER] == {"0": b"b"})
            assert worker.has[FILTER_CONFIG] == {"0": b"a"}
            assert one.has[LISTENER] == {"0": b"a"}
            late.set()
            assert (await publication).kind is OutcomeKind.PUBLISHED
            assert worker.has[FILTER_CONFIG] == {"0": b"b"}


async def rejected(here: World, candidate: Snapshot, peers: tuple[Peer, ...], *, keeps: Snapshot) -> Outcome:
    outcome = await here.publisher.publish(candidate)
    assert outcome.kind is OutcomeKind.REJECTED
    assert here.publisher.good is keeps
    await here.until_acked(*peers, version=keeps)
    return outcome


async def test_clusters_that_envoy_rejects_never_reach_ext_proc() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            envoy.judge = rejecting(CLUSTER, b"b")
            outcome = await rejected(here, B, (envoy, worker), keeps=A)
            assert [(r.type_url, r.message) for r in outcome.nacks] == [(CLUSTER, "poison")]
            assert contents(here, FILTER_CONFIG) == [{b"a"}]


async def test_listeners_that_one_of_two_envoys_rejects_are_taken_back_everywhere() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy("one") as one, here.envoy("two") as two, here.worker() as worker:
            await here.until_acked(one, two, worker, version=A)
            two.judge = rejecting(LISTENER, b"b")
            outcome = await rejected(here, B, (one, two, worker), keeps=A)
            assert [r.node_id for r in outcome.nacks] == ["two"]
            assert worker.has[FILTER_CONFIG] == one.has[LISTENER] == {"0": b"a"}
            assert here.seen.nacks == list(outcome.nacks)


async def test_a_filter_configuration_that_a_worker_rejects_is_taken_back() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            worker.judge = rejecting(FILTER_CONFIG, b"b")
            await rejected(here, B, (envoy, worker), keeps=A)
            assert contents(here, LISTENER) == [{b"a"}], "no listener of a rejected configuration was sent"


async def test_after_a_rejection_a_good_configuration_is_published() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            envoy.judge = rejecting(ROUTE, b"b")
            await here.until_acked(envoy, worker, version=A)
            await rejected(here, B, (envoy, worker), keeps=A)
            await published(here, C)
            await here.until_acked(envoy, worker, version=C)


async def test_the_same_configuration_can_be_tried_again() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=A)
            envoy.judge = rejecting(LISTENER, b"b")
            await rejected(here, B, (envoy,), keeps=A)
            envoy.judge = lambda _: None
            await published(here, B)


async def test_silence_is_a_rejection() -> None:
    forever = asyncio.Event()
    async with world(timing=IMPATIENT) as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            worker.gate = lambda _: forever.wait()
            outcome = await here.publisher.publish(B)
            assert outcome.kind is OutcomeKind.REJECTED
            assert [(r.node_id, r.message) for r in outcome.nacks] == [("worker-1", "no answer within 0.1 s")]
            await here.until_acked(envoy, version=A)


async def test_a_client_that_vanished_is_not_waited_for() -> None:
    forever = asyncio.Event()
    async with world(timing=SLOW) as here:
        await published(here, A)
        async with here.envoy("stays") as stays, here.envoy("goes") as goes:
            await here.until_acked(stays, goes, version=A)
            goes.gate = lambda _: forever.wait()
            publication = here.tasks.create_task(here.publisher.publish(B))
            await here.until(lambda: stays.has[CLUSTER] == {"0": b"b"})
            assert not publication.done()
            goes._stream.cancel()
            assert (await publication).kind is OutcomeKind.PUBLISHED


async def test_a_newer_candidate_replaces_one_that_waits() -> None:
    busy = asyncio.Event()
    async with world(timing=SLOW) as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            envoy.gate = lambda _: busy.wait()
            publications = [here.tasks.create_task(here.publisher.publish(generation(n))) for n in ("b", "c", "d")]
            await here.until(lambda: contents(here, CLUSTER)[-1] != {b"a"})
            last = here.tasks.create_task(here.publisher.publish(generation("e")))
            assert [(await p).kind for p in publications] == [OutcomeKind.SUPERSEDED] * 3
            busy.set()
            assert (await last).kind is OutcomeKind.PUBLISHED
            assert contents(here, FILTER_CONFIG) == [{b"a"}, {b"e"}], "ext_proc saw a superseded configuration"
            await here.until_acked(envoy, worker, version=generation("e"))


async def test_a_worker_that_comes_late_gets_what_is_published() -> None:
    async with world() as here:
        await published(here, A)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=A)
            await published(here, B)
            async with here.worker("late") as late:
                await here.until_acked(late, version=B)


async def test_a_failure_in_merging_is_reported_and_the_publisher_lives_on() -> None:
    def broken(old: bytes, new: bytes) -> bytes:
        if new == b"b":
            raise ValueError("cannot merge")
        return new

    async with world(merge=broken) as here:
        await published(here, A)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=A)
            with pytest.raises(ValueError, match="cannot merge"):
                await here.publisher.publish(B)
            await here.until_acked(envoy, version=A)
            await published(here, C)


async def test_a_rejection_is_reported_soon_even_if_someone_stays_silent() -> None:
    forever = asyncio.Event()
    timing = Timing(ack_seconds=0.1, warm_seconds=60, overlap_seconds=0, rollback_seconds=0.1)
    async with world(timing=timing) as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            worker.gate = lambda _: forever.wait()
            async with asyncio.timeout(2):
                assert (await here.publisher.publish(B)).kind is OutcomeKind.REJECTED


async def test_what_was_decided_by_a_rejected_configuration_still_finds_its_route() -> None:
    async with world(merge=lambda old, new: old + new, timing=Timing(overlap_seconds=0, grace_seconds=60)) as here:
        await published(here, A)
        async with here.envoy() as envoy, here.worker() as worker:
            await here.until_acked(envoy, worker, version=A)
            envoy.judge = rejecting(LISTENER, b"b")
            assert (await here.publisher.publish(B)).kind is OutcomeKind.REJECTED
            view = here.views.of(Role.ENVOY)
            assert set(view.of_type(ROUTE).values.values()) == {b"ab"}
            assert set(view.of_type(LISTENER).values.values()) == {b"a"}
