import stat
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from control_plane.ads import AdsServer, Clients, Views
from control_plane.ads.types import CLUSTER, Role
from tests.ads.world import Recorder, snapshot, world


def server() -> AdsServer:
    return AdsServer(Views(), Clients(Recorder()))


async def serves(address: str) -> bool:
    async with grpc.aio.insecure_channel(address) as channel:
        answer = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(), timeout=5)
        return bool(answer.status == health_pb2.HealthCheckResponse.SERVING)


async def test_only_we_can_open_its_socket(tmp_path: Path) -> None:
    path = tmp_path / "run" / "xds.sock"
    ads = server()
    await ads.start(f"unix://{path}")
    try:
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert await serves(f"unix://{path}")
    finally:
        await ads.stop()


async def test_a_socket_left_by_a_killed_predecessor_is_no_obstacle(tmp_path: Path) -> None:
    address = f"unix://{tmp_path / 'xds.sock'}"
    first, second = server(), server()
    await first.start(address)
    await second.start(address)
    try:
        assert await serves(address)
    finally:
        await second.stop()
        await first.stop()


async def test_an_address_in_use_is_an_os_error() -> None:
    first, second = server(), server()
    port = await first.start("127.0.0.1:0")
    try:
        with pytest.raises(OSError, match="cannot listen on"):
            await second.start(f"127.0.0.1:{port}")
    finally:
        await second.stop()
        await first.stop()


async def test_a_response_may_be_larger_than_grpcs_default() -> None:
    async with world() as here:
        here.views.show(Role.ENVOY, large := snapshot(clusters={"large": b"x" * 5 * 2**20}))
        options = (("grpc.max_receive_message_length", -1),)
        async with here.peer("envoy-1", options=options) as envoy:
            await envoy.subscribe(CLUSTER)
            await here.until_acked(envoy, version=large)
