"""grpc.health.v1 against its own client."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import grpc.aio
import pytest
from grpc_health.v1.health_pb2 import HealthCheckRequest, HealthCheckResponse
from grpc_health.v1.health_pb2_grpc import HealthStub

from ext_proc.grpc_server.health import Health
from ext_proc.grpc_server.server import GrpcServer
from ext_proc.grpc_server.tasks import Tasks


class Running:
    """A health service, alone."""

    def __init__(self, health: Health, server: GrpcServer, stub: HealthStub) -> None:
        self.health = health
        self.server = server
        self.stub = stub

    async def check(self, service: str = "") -> int:
        return int((await self.stub.Check(HealthCheckRequest(service=service))).status)


@pytest.fixture
async def it() -> AsyncIterator[Running]:
    health = Health(("", "a.Service"))
    server = GrpcServer(health.methods, Tasks())
    port = await server.start("127.0.0.1:0")
    async with asyncio.timeout(20), grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield Running(health, server, HealthStub(channel))
    health.end()
    await server.drain(1)


async def test_serves_once_told_so(it: Running) -> None:
    assert await it.check() == HealthCheckResponse.NOT_SERVING
    it.health.set_serving(True)
    assert await it.check() == HealthCheckResponse.SERVING
    assert await it.check("a.Service") == HealthCheckResponse.SERVING


async def test_does_not_know_others_services(it: Running) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await it.check("b.Service")
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = it.stub.Watch(HealthCheckRequest(service="b.Service"))
    assert (await watch.read()).status == HealthCheckResponse.SERVICE_UNKNOWN


async def test_tells_changes_and_its_end(it: Running) -> None:
    watch = it.stub.Watch(HealthCheckRequest())
    assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
    it.health.set_serving(True)
    assert (await watch.read()).status == HealthCheckResponse.SERVING
    it.health.end()
    assert (await watch.read()).status == HealthCheckResponse.NOT_SERVING
    assert await watch.code() is grpc.StatusCode.UNAVAILABLE


async def test_forgets_who_watches_no_more(it: Running) -> None:
    watch = it.stub.Watch(HealthCheckRequest())
    await watch.read()
    watch.cancel()
    while it.health._watching:  # noqa: ASYNC110 - nothing announces it
        await asyncio.sleep(0.001)
