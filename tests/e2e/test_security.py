"""What strangers try on a gateway's ports, and what becomes of it: headers that Envoy obeys, web pages, memory, connections."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import h2.config
import h2.connection
import h2.events
import httpx
import pytest
import pytest_asyncio

from tests.kit.actor import Actor, acting
from tests.kit.plano_up import CHAT, MESSAGES, Config, Running, plano_up
from tests.kit.stub_upstream import Answer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-security"), pytest.mark.timeout(240)]

HELLO = {"model": "openai/gpt-4o", "messages": [{"role": "user", "content": "Hello"}]}
KEY = "sk-secret-of-security"
MEMORY = 160 << 20
CONNECTIONS = 40
SHARE = 30
"""Of one listener."""
BODY = json.dumps(HELLO).encode()


@dataclass(slots=True)
class Stage:
    gateway: Running
    provider: Actor
    agent: Actor


def config(provider: Actor, agent: Actor) -> Config:
    offered = [{"id": "weather", "description": "Tells the weather."}]
    return {
        "agents": [{"id": "weather", "url": agent.url}],
        "model_providers": [{"model": "openai/gpt-4o", "base_url": provider.url, "access_key": "$KEY", "default": True}],
        "listeners": [
            {"type": "model", "name": "models"},
            {"type": "agent", "name": "travel", "agents": offered},
            {"type": "agent", "name": "named", "agents": offered, "allowed_hosts": ["llm.example.com", "*.internal.example"]},
        ],
        "overrides": {
            "limits": {
                "max_memory_bytes": MEMORY,
                "max_connections": CONNECTIONS,
                "client_max_retries": 2,
            }
        },
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with acting(Answer()) as provider, acting(Answer()) as agent:
        folder = tmp_path_factory.mktemp("security")
        async with plano_up(config(provider, agent), folder, env={"KEY": KEY}) as gateway:
            yield Stage(gateway, provider, agent)


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    _stage.provider.reset()
    _stage.agent.reset()
    return _stage


async def raw(port: int, request: bytes, seconds: float = 5) -> bytes:
    """Send bytes, and return what comes back until the other side closes or the time is up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        writer.write(request)
        async with asyncio.timeout(seconds):
            while chunk := await reader.read(65536):
                answer += chunk
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def port(stage: Stage, listener: str) -> int:
    return httpx.URL(stage.gateway.url(listener)).port or 0


async def test_envoy_obeys_four_headers_of_clients_and_these_up_to_a_bound(stage: Stage) -> None:
    harmful = {
        "x-envoy-upstream-alt-stat-name": "grows",
        "x-envoy-original-path": "/forged",
        "x-envoy-retriable-status-codes": "200",
        "x-envoy-retry-on": "retriable-status-codes",
        "x-envoy-decorator-operation": "forged",
        "x-request-id": "harmful",
    }
    answer = await stage.gateway.post("models", HELLO, **harmful)
    assert answer.status_code == 200
    assert len(stage.provider.received) == 1, "an answer is not asked for again"
    assert not [name for name in stage.provider.last.headers if name.startswith(("x-envoy-", "x-plano-client"))]
    line = await stage.gateway.logged(lambda line: line["request_id"] == "harmful")
    assert line["path"] == CHAT
    assert "grows" not in (await stage.gateway.admin("GET", "/stats")).text


@pytest.mark.parametrize(("asked", "attempts"), [("0", 1), ("1", 2), ("1000", 3), ("-1", 3), ("many", 3)])
async def test_retries_of_clients_are_bounded(stage: Stage, asked: str, attempts: int) -> None:
    stage.provider.plays(Answer(503))
    answer = await stage.gateway.post("models", HELLO, x_envoy_max_retries=asked)
    assert answer.status_code == 503
    assert len(stage.provider.received) == attempts


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", None])
@pytest.mark.parametrize("listener", ["models", "travel"])
async def test_what_a_web_page_can_send_unasked_is_refused(stage: Stage, listener: str, kind: str | None) -> None:
    headers = {"origin": "https://evil.example"} | ({"content-type": kind} if kind else {})
    for path, is_anthropics in ((CHAT, False), (MESSAGES, True)):
        answer = await stage.gateway.http.post(f"{stage.gateway.url(listener)}{path}", content=BODY, headers=headers)
        assert answer.status_code == 415
        assert ("type" in answer.json()) is is_anthropics
        assert "content-type: application/json" in answer.json()["error"]["message"]
    assert stage.provider.received == stage.agent.received == []


@pytest.mark.parametrize(
    "kind", ["application/json", "application/json; charset=utf-8", "Application/JSON", "application/x+json"]
)
async def test_json_is_taken(stage: Stage, kind: str) -> None:
    answer = await stage.gateway.http.post(f"{stage.gateway.url('models')}{CHAT}", content=BODY, headers={"content-type": kind})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    ("host", "status"),
    [("llm.example.com", 200), ("LLM.example.com:8001", 200), ("a.internal.example", 200), ("evil.example", 421), ("x", 421)],
)
async def test_hosts_can_be_limited(stage: Stage, host: str, status: int) -> None:
    answer = await stage.gateway.post("named", HELLO, host=host)
    assert answer.status_code == status
    if status == 421:
        assert answer.json()["error"]["code"] == "misdirected_request"
        assert stage.agent.received == []


@pytest.mark.parametrize("listener", ["models", "travel"])
async def test_a_tunnel_is_refused_at_once(stage: Stage, listener: str) -> None:
    answer = await raw(port(stage, listener), b"CONNECT example.com:443 HTTP/1.1\r\nhost: example.com\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 426 ")


@pytest.mark.parametrize(("path", "is_anthropics"), [(CHAT, False), (MESSAGES, True)])
async def test_a_header_that_is_not_utf_8_is_the_clients_fault(stage: Stage, path: str, is_anthropics: bool) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: {len(BODY)}\r\n".encode()
    answer = await raw(port(stage, "models"), head + b"connection: close\r\nx-request-id: \xe9\xff\r\n\r\n" + BODY)
    assert answer.startswith(b"HTTP/1.1 400 ")
    error = json.loads(answer.partition(b"\r\n\r\n")[2])
    assert "not UTF-8" in error["error"]["message"]
    assert ("type" in error) is is_anthropics


async def test_a_malformed_stream_ends_alone(stage: Stage) -> None:
    let_go = asyncio.Event()

    async def waits(*_: object) -> Answer:
        await let_go.wait()
        return Answer()

    stage.provider.plays(waits)
    client = h2.connection.H2Connection(
        h2.config.H2Configuration(validate_outbound_headers=False, normalize_outbound_headers=False)
    )
    reader, writer = await asyncio.open_connection("127.0.0.1", port(stage, "models"))
    head = [
        (":method", "POST"),
        (":scheme", "http"),
        (":authority", "x"),
        (":path", CHAT),
        ("content-type", "application/json"),
    ]
    client.initiate_connection()
    client.send_headers(1, head)
    client.send_data(1, BODY, end_stream=True)
    client.send_headers(3, [*head, ("X-Upper", "malformed")])
    client.send_data(3, BODY, end_stream=True)
    writer.write(client.data_to_send())
    statuses: dict[int, str] = {}
    async with asyncio.timeout(20):
        while len(statuses) < 2:
            data = await reader.read(65536)
            assert data, f"the connection was closed: {statuses}"
            for event in client.receive_data(data):
                if isinstance(event, h2.events.StreamReset):
                    statuses[event.stream_id or 0] = "reset"
                    let_go.set()
                elif isinstance(event, h2.events.ResponseReceived):
                    statuses[event.stream_id or 0] = dict(event.headers or [])[b":status"].decode()
            writer.write(client.data_to_send())
    writer.close()
    assert statuses == {1: "200", 3: "reset"}


@pytest.mark.parametrize("listener", ["models", "travel"])
@pytest.mark.parametrize("length", ["content-length: 50000000", "transfer-encoding: chunked"])
async def test_an_upload_that_is_too_long_is_not_held_until_it_ends(stage: Stage, listener: str, length: str) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port(stage, listener))
    head = f"POST {CHAT} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\n{length}\r\n\r\n".encode()
    piece = b"x" * (1 << 20)

    async def sends() -> None:
        with suppress(ConnectionError):
            writer.write(head)
            for _ in range(20):
                writer.write(b"%x\r\n%s\r\n" % (len(piece), piece) if "chunked" in length else piece)
                await writer.drain()

    # Read while it is sent: what comes later may be lost to a reset.
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        sending = tasks.create_task(sends())
        assert await reader.read(13) == b"HTTP/1.1 413 "
        sending.cancel()
    writer.close()


async def test_what_clients_say_does_not_fill_the_log(stage: Stage) -> None:
    before = (stage.gateway.site.run_dir / "ext_proc.log").stat().st_size
    long = "r" * 60_000
    assert (await stage.gateway.post("models", HELLO, x_request_id=long)).status_code == 200
    line = await stage.gateway.logged(lambda line: str(line["request_id"]).startswith("rrr"))
    assert len(json.dumps(line)) < 2000
    assert (stage.gateway.site.run_dir / "ext_proc.log").stat().st_size - before < 5000


async def test_silent_connections_leave_other_listeners_theirs(stage: Stage) -> None:
    held = [await asyncio.open_connection("127.0.0.1", port(stage, "models")) for _ in range(CONNECTIONS)]
    try:
        answer = await raw(port(stage, "travel"), b"GET /healthz HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert await stage.gateway.stat("server.live") == 1
        health = await stage.gateway.http.get(f"{stage.gateway.override_url('admin_port')}/healthz")
        assert health.status_code == 200
        stats = await stage.gateway.http.get(f"{stage.gateway.override_url('admin_port')}/stats/prometheus")
        assert stats.status_code == 200
    finally:
        for _, writer in held:
            writer.close()


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_text()


async def test_only_the_control_plane_inherits_keys(stage: Stage) -> None:
    assert KEY in environment_of(stage.gateway.process("control_plane")["pid"])
    for name in ("envoy", "ext_proc"):
        assert KEY not in environment_of(stage.gateway.process(name)["pid"])
