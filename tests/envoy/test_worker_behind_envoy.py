"""A real Envoy and a real worker on one xDS server: what clients get, and what upstreams see."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
from prometheus_client import CollectorRegistry

from control_plane.xds import translate
from control_plane.xds.bootstrap import build_bootstrap
from ext_proc.app import Worker, WorkerSettings
from ext_proc.telemetry import names
from ext_proc.telemetry.metrics import Metrics
from tests.kit import envoy, gateways, static_xds, stub_upstream


@dataclass(frozen=True, slots=True)
class World:
    agents: httpx.AsyncClient
    models: httpx.AsyncClient
    upstream: stub_upstream.Upstream
    registry: CollectorRegistry


async def answer(_request: stub_upstream.Received, _writer: asyncio.StreamWriter) -> stub_upstream.Answer:
    return stub_upstream.Answer(body=b'{"answered":true}')


async def _enter(stack: AsyncExitStack) -> World:
    enter = stack.enter_async_context
    folder = await enter(envoy.short_folder())
    upstream = await enter(stub_upstream.serving(answer))
    xds, listen = f"unix://{folder}/xds.sock", f"unix://{folder}/worker.sock"
    gateway = gateways.gateway(
        agent_port=envoy.free_port(),
        model_port=envoy.free_port(),
        upstream_port=upstream.port,
        egress=f"unix://{folder}/egress.sock",
        access_log=str(folder / "access.log"),
    )
    await enter(static_xds.serving(translate(gateway), xds))
    registry, stop = CollectorRegistry(), asyncio.Event()
    worker = Worker(WorkerSettings(number=0, xds=xds, listen=listen, grace_seconds=2), Metrics(registry))
    tasks = await enter(asyncio.TaskGroup())
    tasks.create_task(worker.run(stop))
    stack.callback(stop.set)
    bootstrap = build_bootstrap(node_id="test", xds=xds, ext_proc=[listen], admin="127.0.0.1:0")
    await enter(envoy.running(bootstrap, folder))
    clients = [
        await enter(
            httpx.AsyncClient(
                base_url=f"http://127.0.0.1:{listener.port}",
                headers={"content-type": "application/json"},
                timeout=20,
                trust_env=False,
            )
        )
        for listener in gateway.listeners
    ]
    return World(clients[0], clients[1], upstream, registry)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with asyncio.timeout(60), AsyncExitStack() as stack:
        yield await _enter(stack)


CHAT = b'{ "messages":[{"role":"user","content":"hi"}], "model" : "fast", "n":1.0 }'


async def test_a_model_request_reaches_its_provider_as_the_client_wrote_it(world: World) -> None:
    reply = await world.models.post("/v1/chat/completions?a=b", content=CHAT)
    assert (reply.status_code, reply.json()) == (200, {"answered": True})
    assert (reply.headers["x-plano-model"], reply.headers["x-plano-decision"]) == ("openai/gpt-4o", "alias")
    [seen] = world.upstream.received
    assert seen.body == CHAT.replace(b'"fast"', b'"gpt-4o"')
    assert seen.path == "/v1/chat/completions?a=b"
    assert seen.headers["authorization"] == "Bearer sk-gateway"
    assert seen.headers["traceparent"].startswith("00-")
    assert "x-plano-route" not in seen.headers


async def test_an_agent_request_keeps_its_trace_and_its_bytes(world: World) -> None:
    traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    reply = await world.agents.post("/v1/messages", content=CHAT, headers={"traceparent": traceparent})
    assert (reply.status_code, reply.headers["x-plano-agent"]) == (200, "weather")
    [seen] = world.upstream.received
    assert (seen.body, seen.path) == (CHAT, "/v1/messages")
    assert seen.headers["traceparent"].split("-")[1] == traceparent.split("-")[1]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/v1/chat/completions", b"", 405),
        ("POST", "/nowhere", b"{}", 404),
        ("POST", "/v1/chat/completions", b"", 400),
        ("POST", "/v1/chat/completions", b"{", 400),
        ("POST", "/v1/chat/completions", b'{"model":"nope","messages":[]}', 404),
        ("POST", "/v1/chat/completions", b"x" * (2 << 20), 413),
    ],
)
async def test_bad_input_is_the_clients_fault(world: World, method: str, path: str, body: bytes, status: int) -> None:
    reply = await world.models.request(method, path, content=body)
    assert (reply.status_code, reply.headers["content-type"]) == (status, "application/json")
    assert reply.json()["error"]["type"] == "invalid_request_error"
    assert world.upstream.received == []


async def test_chunked_bodies_and_trailers_are_decided_too(world: World) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield CHAT[:10]
        yield CHAT[10:]

    reply = await world.models.post("/v1/chat/completions", content=chunks())
    assert reply.status_code == 200
    [seen] = world.upstream.received
    assert seen.body == CHAT.replace(b'"fast"', b'"gpt-4o"')


async def test_lists_models(world: World) -> None:
    reply = await world.models.get("/v1/models")
    assert [model["id"] for model in reply.json()["data"]] == ["fast", "openai/gpt-4o"]
    assert (await world.models.options("/v1/models")).status_code == 204


async def test_many_requests_leave_nothing_open(world: World) -> None:
    replies = await asyncio.gather(*(world.models.post("/v1/chat/completions", content=CHAT) for _ in range(300)))
    assert {reply.status_code for reply in replies} == {200}
    value = world.registry.get_sample_value
    assert value(names.REQUESTS, {"listener": "models", "api": "chat_completions", "outcome": "forwarded"}) == 300
    assert value(names.REQUESTS, {"listener": "models", "api": "chat_completions", "outcome": "cancelled"}) is None
    assert value(names.REQUESTS_IN_FLIGHT, {"listener": "models"}) == 0
