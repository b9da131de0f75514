"""What clients send that is not plain HTTP/1.1 with a plain body: it is served, or refused in their API's words."""

import asyncio
import gzip
import struct
import zlib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from tests.kit.envoy import free_port
from tests.kit.llm_provider import Provider
from tests.kit.stub_upstream import Answer, Received, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-http")]

CONFIG = """
version: v0.4.0
agents:
  - {{id: weather, url: "http://127.0.0.1:{provider}"}}
filters:
  - {{id: passes, type: http, url: "http://127.0.0.1:{filter}"}}
model_providers:
  - {{model: openai/gpt-4o, base_url: "http://127.0.0.1:{provider}", access_key: $KEY, default: true}}
  - {{model: openai/gpt-5, base_url: "http://127.0.0.1:{provider}", access_key: $KEY, fallbacks: [openai/gpt-4o]}}
listeners:
  - type: model
    name: models
    address: 127.0.0.1
    port: {models}
    cors: {{allow_origins: ["https://chat.example.com", "https://*.example.org"], max_age: 60s}}
  - {{type: agent, name: agents, address: 127.0.0.1, port: {agents}, agents: [{{id: weather, description: Weather}}]}}
  - type: agent
    name: filtered
    address: 127.0.0.1
    port: {filtered}
    agents: [{{id: weather, description: Weather, input_filters: [passes]}}]
overrides: {{max_request_bytes: {max_bytes}}}
"""
MAX_BYTES = 1 << 20
CHAT = "/v1/chat/completions"


ZSTD_BLOCK = 1 << 17
"""The largest."""


def zstd_frame(data: bytes) -> bytes:
    """Return a frame of blocks of `data` as it is; https://www.rfc-editor.org/rfc/rfc8878."""
    return zstd_blocks(len(data), [(0, data[at : at + ZSTD_BLOCK]) for at in range(0, len(data), ZSTD_BLOCK)])


def zstd_bomb(size: int) -> bytes:
    """Return a frame of blocks that each repeat one byte."""
    return zstd_blocks(size, [(1, b" ")] * (size // ZSTD_BLOCK))


def zstd_blocks(size: int, blocks: list[tuple[int, bytes]]) -> bytes:
    """Return a frame of blocks, given as (kind, content): 0 as it is, 1 repeated to the largest size."""
    frame = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<L", size)
    for number, (kind, content) in enumerate(blocks, 1):
        length = ZSTD_BLOCK if kind else len(content)
        frame += struct.pack("<L", length << 3 | kind << 1 | (number == len(blocks)))[:3] + content
    return frame


def brotli_stream(data: bytes) -> bytes:
    """Return a stream with one block of `data` as it is; https://www.rfc-editor.org/rfc/rfc7932."""
    assert len(data) <= 1 << 16
    head = (len(data) - 1) << 4 | 1 << 20
    return struct.pack("<L", head)[:3] + data + b"\x03"


def raw_deflate(data: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packing.compress(data) + packing.flush()


ENCODINGS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "gzip": ("gzip", gzip.compress),
    "zstd": ("zstd", zstd_frame),
    "br": ("br", brotli_stream),
    "deflate": ("deflate", zlib.compress),
    "raw deflate": ("deflate", raw_deflate),
}


async def pass_on(_request: Received, _writer: object) -> Answer:
    return Answer(200, b"")


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    provider: Provider

    async def ask(self, listener: str, body: bytes | dict[str, Any], path: str = CHAT, **headers: str) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        named = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.gateway.http.post(self.gateway.url(listener) + path, content=content, headers=named)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        provider = Provider()
        port = (await stack.enter_async_context(serving(provider))).port
        ports = {name: free_port() for name in ("models", "filtered", "agents")}
        passes = (await stack.enter_async_context(serving(pass_on))).port
        text = CONFIG.format(provider=port, filter=passes, max_bytes=MAX_BYTES, **ports)
        yield World(await stack.enter_async_context(whole_gateway(text, {"KEY": "sk"})), provider)


@pytest.fixture
def world(shared: World) -> World:
    shared.provider.reset()
    return shared


def request(model: str = "openai/gpt-4o", content: str = "hi") -> dict[str, Any]:
    return {"model": model, "messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("listener", "model"), [("models", "openai/gpt-4o"), ("models", "openai/gpt-5"), ("agents", "any"), ("filtered", "any")]
)
async def test_a_compressed_body_passes_on_plain(world: World, encoding: str, listener: str, model: str) -> None:
    name, pack = ENCODINGS[encoding]
    answer = await world.ask(listener, pack(orjson.dumps(request(model))), content_encoding=name)
    assert answer.status_code == 200, answer.text
    [received] = world.provider.received
    assert orjson.loads(received.body)["messages"] == request()["messages"]
    assert "content-encoding" not in received.headers


BOMBS = {
    "gzip": gzip.compress(b" " * (64 << 20)),
    "zstd": zstd_bomb(64 << 20),
    "deflate": zlib.compress(b" " * (64 << 20)),
}


@pytest.mark.parametrize("encoding", BOMBS)
@pytest.mark.parametrize("listener", ["models", "agents", "filtered"])
async def test_a_bomb_is_refused(world: World, encoding: str, listener: str) -> None:
    answer = await world.ask(listener, BOMBS[encoding], content_encoding=encoding)
    assert answer.status_code in (400, 413)
    assert answer.json()["error"]["type"] == "invalid_request_error"
    assert world.provider.received == []


@pytest.mark.parametrize("encoding", ENCODINGS)
async def test_a_body_that_is_too_large_once_it_is_plain_is_refused(world: World, encoding: str) -> None:
    if encoding == "br":
        pytest.skip("no compressor for a large stream here")
    name, pack = ENCODINGS[encoding]
    words = " ".join(f"{number}" for number in range(MAX_BYTES // 5))
    answer = await world.ask("models", pack(orjson.dumps(request(content=words))), content_encoding=name)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "request_too_large")


@pytest.mark.parametrize(("listener", "path"), [("models", CHAT), ("models", "/v1/messages"), ("agents", CHAT)])
async def test_other_encodings_are_refused(world: World, listener: str, path: str) -> None:
    answer = await world.ask(listener, b"x", path, content_encoding="lzma")
    assert (answer.status_code, answer.headers["accept-encoding"]) == (415, "gzip, br, zstd, deflate")


@pytest.mark.parametrize("listener", ["models", "agents"])
async def test_http_1_0_is_served(world: World, listener: str) -> None:
    body = orjson.dumps(request())
    reader, writer = await asyncio.open_connection("127.0.0.1", world.gateway.ports[listener])
    writer.write(
        b"POST %b HTTP/1.0\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b" % (CHAT.encode(), len(body), body)
    )
    answer = await reader.read()
    writer.close()
    assert answer.startswith((b"HTTP/1.0 200", b"HTTP/1.1 200"))
    assert b"chunked" not in answer
    assert b'"choices"' in answer


@pytest.mark.parametrize("listener", ["models", "agents"])
@pytest.mark.parametrize("path", ["/v1/responses", CHAT])
async def test_a_websocket_probe_is_told_to_use_http_at_once(world: World, listener: str, path: str) -> None:
    headers = {"connection": "Upgrade", "upgrade": "websocket", "sec-websocket-version": "13", "sec-websocket-key": "eA=="}
    answer = await world.gateway.http.get(world.gateway.url(listener) + path, headers=headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (426, "upgrade_required")


async def preflight(world: World, listener: str, origin: str) -> httpx.Response:
    asked = {"origin": origin, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
    return await world.gateway.http.options(world.gateway.url(listener) + CHAT, headers=asked)


@pytest.mark.parametrize("origin", ["https://chat.example.com", "https://a.example.org"])
async def test_a_page_of_an_allowed_origin_may_ask_and_read(world: World, origin: str) -> None:
    allowed = await preflight(world, "models", origin)
    assert allowed.status_code in (200, 204)
    assert allowed.headers["access-control-allow-origin"] == origin
    assert (allowed.headers["access-control-allow-methods"], allowed.headers["access-control-max-age"]) == (
        "GET, POST, OPTIONS",
        "60",
    )
    assert "authorization" in allowed.headers["access-control-allow-headers"]
    for body in (request(), b"{", b""):
        answer = await world.ask("models", body, origin=origin)
        assert answer.headers["access-control-allow-origin"] == origin
        assert "x-plano-model" in answer.headers["access-control-expose-headers"]
        assert answer.status_code == (200 if body == request() else 400)


@pytest.mark.parametrize(
    ("listener", "origin"),
    [
        ("models", "https://example.com"),
        ("models", "https://chat.example.com.evil.net"),
        ("agents", "https://chat.example.com"),
    ],
)
async def test_a_page_of_another_origin_may_not(world: World, listener: str, origin: str) -> None:
    refused = await preflight(world, listener, origin)
    assert refused.status_code == 405
    assert "listeners[].cors" in refused.json()["error"]["message"]
    answer = await world.ask(listener, request(), origin=origin)
    assert "access-control-allow-origin" not in answer.headers
