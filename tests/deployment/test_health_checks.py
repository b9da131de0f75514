"""The health checks of docker-compose.yaml, run as they stand against the real thing, up and down."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc
import pytest
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from demos.travel_booking.agents.__main__ import AGENTS as CODE
from demos.travel_booking.agents.service import build_service
from demos.travel_booking.agents.settings import Settings
from tests.deployment.compose import AGENTS, options, port, service
from tests.deployment.health import checked_port, checked_socket, passes
from tests.kit.asgi_server import serve
from tests.kit.envoy import short_folder

GRPC = {"control-plane": "xds", "ext-proc": "listen"}
"""Service -> option of its command that says where its gRPC server listens."""
NOBODY = 1


@asynccontextmanager
async def health_service(status: "health_pb2.HealthCheckResponse.ServingStatus", where: str) -> AsyncIterator[str]:
    servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # set at import, by version
    await servicer.set("", status)
    server = grpc.aio.server()
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(where)
    await server.start()
    try:
        yield where
    finally:
        await server.stop(None)


@pytest.mark.parametrize(("name", "option"), GRPC.items())
async def test_grpc_services(name: str, option: str) -> None:
    assert checked_socket(name) == options(name)[option].replace("{worker}", "0")
    response = health_pb2.HealthCheckResponse
    async with short_folder() as folder:
        async with health_service(response.SERVING, f"unix://{folder}/serving.sock") as serving:
            assert await passes(name, serving)
        async with health_service(response.NOT_SERVING, f"unix://{folder}/starting.sock") as starting:
            assert not await passes(name, starting)
        assert not await passes(name, f"unix://{folder}/nobody.sock")


@pytest.mark.parametrize(("name", "agent_id"), AGENTS.items())
async def test_agents(name: str, agent_id: str) -> None:
    assert checked_port(name) == CODE[agent_id].port
    async with serve(build_service(CODE[agent_id], Settings())) as url:
        assert await passes(name, port(url))
    assert not await passes(name, NOBODY)


@pytest.mark.parametrize(("status", "healthy"), [(200, True), (503, False)])
async def test_envoy(status: int, *, healthy: bool) -> None:
    async def healthz(_: object) -> PlainTextResponse:
        return PlainTextResponse("", status)

    assert f"{checked_port('envoy')}:{checked_port('envoy')}" in service("envoy")["ports"]
    async with serve(Starlette(routes=[Route("/healthz", healthz)])) as url:
        assert await passes("envoy", port(url)) is healthy
    assert not await passes("envoy", NOBODY)
