"""Streams over real gRPC: order, roles, reconnects, slow and broken clients."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from control_plane.ads import Clients, Snapshot, Views
from control_plane.ads.stream import ProtocolError, Stream
from control_plane.ads.types import CLUSTER, ENDPOINT, FILTER_CONFIG, LISTENER, ROUTE, SECRET, SENDING_ORDER, Role
from protos import discovery_pb2 as pb
from protos import discovery_pb2_grpc as rpc
from tests.ads.world import Recorder, World, generation, snapshot, world

A, B = generation("a"), generation("b")


def show(here: World, view: Snapshot) -> None:
    for role in Role:
        here.views.show(role, view)


async def test_an_envoy_gets_what_it_asks_for_and_no_more() -> None:
    async with world() as here:
        show(here, A)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=A)
            assert envoy.has.keys() == {CLUSTER, ENDPOINT, SECRET, LISTENER, ROUTE}
            assert all(values == {"0": b"a"} for values in envoy.has.values())


async def test_a_change_of_everything_arrives_in_make_before_break_order() -> None:
    async with world() as here:
        show(here, A)
        async with here.envoy() as envoy:
            await here.until_acked(envoy, version=A)
            here.log.clear()
            show(here, B)
            await here.until_acked(envoy, version=B)
            assert [type_url for _, type_url, _ in here.log] == [t for t in SENDING_ORDER if t != FILTER_CONFIG]


async def test_secrets_never_reach_an_ext_proc_worker() -> None:
    async with world() as here:
        show(here, A)
        async with here.worker() as worker:
            await worker.subscribe(SECRET, "key")
            await here.until(lambda: worker.has.keys() == {FILTER_CONFIG, SECRET})
            assert worker.has[SECRET] == {}
            assert worker.has[FILTER_CONFIG] == {"0": b"a"}


async def test_an_envoy_never_gets_the_filter_configuration() -> None:
    async with world() as here:
        show(here, A)
        async with here.peer("envoy-1") as envoy:
            await envoy.subscribe(FILTER_CONFIG)
            await here.until(lambda: FILTER_CONFIG in envoy.has)
            assert envoy.has[FILTER_CONFIG] == {}


async def test_who_reconnects_with_the_current_version_gets_only_what_goes_by_name() -> None:
    async with world() as here:
        show(here, A)
        async with here.peer("envoy-1") as envoy:
            await envoy.subscribe(CLUSTER, version=A.of_type(CLUSTER).version)
            await envoy.subscribe(LISTENER, version="of another life")
            await envoy.subscribe(ENDPOINT, "weather", version=A.of_type(ENDPOINT).version)
            await here.until_acked(envoy, version=A.only({CLUSTER, LISTENER, ENDPOINT}))
            assert sorted(t for _, t, _ in here.log) == sorted([ENDPOINT, LISTENER])


async def test_a_changed_cluster_gets_its_unchanged_endpoints_again() -> None:
    before = snapshot(clusters={"x": b"1", "y": b"1"}, endpoints={"x": b"ex", "y": b"ey"})
    after = snapshot(clusters={"x": b"2", "y": b"1"}, endpoints={"x": b"ex", "y": b"ey"})
    async with world() as here:
        show(here, before)
        async with here.peer("envoy-1") as envoy:
            await envoy.subscribe(CLUSTER)
            await envoy.subscribe(ENDPOINT, "x", "y")
            await here.until_acked(envoy, version=before)
            here.log.clear()
            show(here, after)
            await here.until_acked(envoy, version=after)
            await here.until(lambda: len(here.log) >= 2)
            assert here.log == [("envoy-1", CLUSTER, {b"2", b"1"}), ("envoy-1", ENDPOINT, {b"ex"})]


async def test_a_client_that_does_not_read_delays_nobody() -> None:
    stuck = asyncio.Event()
    async with world() as here:
        show(here, A)
        async with here.envoy("slow") as slow, here.envoy("quick") as quick:
            await here.until_acked(slow, quick, version=A)
            slow.gate = lambda _: stuck.wait()
            show(here, B)
            await here.until_acked(quick, version=B)
            assert slow.has[CLUSTER] == {"0": b"a"}
            stuck.set()
            await here.until_acked(slow, version=B)


async def test_a_client_that_goes_is_forgotten() -> None:
    async with world() as here:
        show(here, A)
        async with here.envoy("one") as one, here.envoy("other") as other:
            await here.until_acked(one, other, version=A)
            one._stream.cancel()
            assert await here.clients.until(lambda: [c.node_id for c in here.clients] == ["other"], seconds=5)
        assert await here.clients.until(lambda: not list(here.clients), seconds=5)
        assert ("disconnected", "one") in here.seen.events


async def test_a_request_without_a_type_is_refused() -> None:
    async with world() as here, grpc.aio.insecure_channel(here.address) as channel:
        stream = rpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources()  # type: ignore[no-untyped-call]
        await stream.write(pb.DiscoveryRequest(node=pb.Node(id="odd")))
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await anext(aiter(stream))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
        assert not list(here.clients)


async def test_a_stream_takes_a_bounded_number_of_types() -> None:
    async def requests() -> AsyncIterator[pb.DiscoveryRequest]:
        for number in range(40):
            yield pb.DiscoveryRequest(type_url=f"type/{number}")

    async def send(_: pb.DiscoveryResponse) -> None:
        await asyncio.Event().wait()

    clients = Clients(Recorder())
    with pytest.raises(ProtocolError, match="32 resource types"):
        await Stream(Views(), clients, send).serve(requests())
    assert not list(clients)


async def test_a_type_that_nobody_serves_is_answered_with_nothing() -> None:
    async with world() as here:
        show(here, A)
        async with here.peer("envoy-1") as envoy:
            await envoy.subscribe("type.googleapis.com/envoy.service.runtime.v3.Runtime", "r")
            await here.until(lambda: bool(here.log))
            assert here.log[0][2] == set()
