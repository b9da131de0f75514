"""Plain calls on the native path: whatever a client sends, it and the provider see what they would see without that path."""

import asyncio
import gzip
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.kit.actor import STREAM_HEAD, Actor, acting
from tests.kit.envoy import free_port
from tests.kit.stub_upstream import Answer, Received
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-native-path")]

CHAT, MESSAGES, EMBEDDINGS = "/v1/chat/completions", "/v1/messages", "/v1/embeddings"
CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/gpt-4o, base_url: "{provider}", access_key: $KEY, default: true}}
  - {{model: mistral/*, base_url: "{provider}/eu/v1", access_key: $KEY}}
  - {{model: anthropic/claude, base_url: "{provider}", access_key: $KEY}}
  - {{model: deepseek/mine, base_url: "{provider}", passthrough_auth: true}}
model_aliases:
  fast: {{target: gpt-4o}}
overrides: {{native_path: {native}, max_request_bytes: 4000000}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {models}}}
"""
KEYS = {"KEY": "sk-provider"}
USAGE = {"prompt_tokens": 7, "completion_tokens": 11, "total_tokens": 18}
CHOICE = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
USUAL = Answer(body=json.dumps({"object": "chat.completion", "model": "large", "choices": [CHOICE], "usage": USAGE}).encode())
JSON = {"content-type": "application/json"}
ASK: dict[str, Any] = {"messages": [{"role": "user", "content": 'é ✓ 😀 "quoted" \\ \n'}], "temperature": -0.5e0, "n": None}
_OF_ONE_REQUEST = {"connection", "date", "x-request-id", "traceparent", "x-plano-decision", "host"}


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client gets, what its provider got, and what is logged."""

    status: int
    headers: dict[str, str]
    body: bytes
    sent: tuple[str, dict[str, str], bytes] | None
    decision: str


@dataclass(frozen=True, slots=True)
class World:
    native: WholeGateway
    asked: WholeGateway
    """Where ext_proc is asked each time."""
    provider: Actor

    async def post(self, gateway: WholeGateway, body: bytes, path: str, headers: dict[str, str]) -> Seen:
        self.provider.received.clear()
        answer = await gateway.http.post(gateway.url("models") + path, content=body, headers=JSON | headers)
        sent = self.provider.received[-1] if self.provider.received else None
        return Seen(
            answer.status_code,
            _stable(answer.headers),
            answer.content,
            (sent.path, _stable(sent.headers), sent.body) if sent else None,
            answer.headers.get("x-plano-decision", ""),
        )

    async def both(self, body: bytes, path: str = CHAT, **headers: str) -> Seen:
        """Send a request both ways, which must not differ but by the decision; return what was seen of the native path."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        native, asked = [await self.post(gateway, body, path, given) for gateway in (self.native, self.asked)]
        assert (native.status, native.headers, native.body, native.sent) == (
            asked.status,
            asked.headers,
            asked.body,
            asked.sent,
        )
        assert native.decision.removesuffix("; native") == asked.decision
        return native


def _stable(headers: httpx.Headers | dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in _OF_ONE_REQUEST}


def dumped(model: object, **more: Any) -> bytes:
    return json.dumps({"model": model} | ASK | more, ensure_ascii=False).encode()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(acting(USUAL))
        native, asked = [
            await stack.enter_async_context(
                whole_gateway(CONFIG.format(provider=provider.url, native=is_native, models=free_port()), KEYS)
            )
            for is_native in ("true", "false")
        ]
        yield World(native, asked, provider)
        assert "script log" not in native.envoy.log.read_text()


@pytest.fixture
def world(shared: World) -> World:
    shared.provider.reset()
    return shared


@pytest.mark.parametrize(
    ("model", "path", "reason"),
    [
        ("openai/gpt-4o", CHAT, "exact"),
        ("gpt-4o", CHAT, "bare_id"),
        ("fast", CHAT, "alias"),
        ("mistral/large", CHAT, "wildcard"),
        ("gpt-4o", EMBEDDINGS, "bare_id"),
        ("anthropic/claude", MESSAGES, "exact"),
        ("deepseek/mine", CHAT, "exact"),
    ],
)
async def test_plain_calls(world: World, model: str, path: str, reason: str) -> None:
    seen = await world.both(dumped(model), path, authorization="Bearer mine")
    assert (seen.status, seen.decision) == (200, f"{reason}; native")


@pytest.mark.parametrize(
    "body",
    [
        b' \r\n\t{"messages" : [ ] ,\n"model":"gpt-4o" , "x":[1,-2.50,0,{},[],true,false,null,"\\u00e9\\/"]} ',
        b'{"model":"gpt-4o","seed":123456789012345678901234567890,"zeta":1.0,"messages":[]}',
    ],
)
async def test_the_rest_of_a_body_stays_as_it_is(world: World, body: bytes) -> None:
    assert (await world.both(body)).decision.endswith("; native")


async def test_compressed_and_large_bodies_are_left_to_ext_proc(world: World) -> None:
    large = dumped("fast", user=random.Random(14).randbytes(3 << 19).hex())
    for body, headers in ((gzip.compress(large), {"content_encoding": "gzip"}), (large, {})):
        seen = await world.both(body, **headers)
        assert (seen.status, seen.decision) == (200, "alias")


async def test_so_are_bodies_of_unknown_length(world: World) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        large = dumped("fast", user="x" * (3 << 20))
        for at in range(0, len(large), 1 << 20):
            yield large[at : at + (1 << 20)]

    answer = await world.native.http.post(world.native.url("models") + CHAT, content=pieces(), headers=JSON)
    assert (answer.status_code, answer.headers["x-plano-decision"]) == (200, "alias")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{",
        b'{"messages":[]}',
        b'{"model":"","messages":[]}',
        b'{"model":null,"messages":[]}',
        b'{"model":1,"messages":[]}',
        b'{"model":["gpt-4o"],"messages":[]}',
        b'{"model":"gpt-4o","model":"fast","messages":[]}',
        b'{"mod\\u0065l":"fast","messages":[]}',
        b'{"model":"gpt\\u002d4o","messages":[]}',
        b'{"messages":[{"model":"gpt-4o"}]}',
        b'{"model":"gpt-4o","messages":[]}}',
        b'{"model":"gpt-4o","messages":[],}',
        b'{"model":"gpt-4o","n":01}',
        b'{"model":"gpt-4o","n":1.}',
        b'{"model":"gpt-4o","n":.5}',
        b'{"model":"gpt-4o","n":+1}',
        b'{"model":"gpt-4o","n":1e999}',
        b'{"model":"gpt-4o","n":NaN}',
        b'{"model":"gpt-4o","n":nul}',
        b'{"model":"gpt-4o","x":"\n"}',
        b'{"model":"gpt-4o","x":"\\x"}',
        b'{"model":"gpt-4o","x":"\\ud800"}',
        b'{"model":"gpt-4o","x":"\\u12"}',
        b'{"model":"gpt-4o","x":"\xff"}',
        b'{"model":"gpt-4o","x":"\xc0\x80"}',
        b'{"model":"gpt-4o","x":"\xed\xa0\x80"}',
        b'{"model":"gpt-4o","x":"\xf4\x90\x80\x80"}',
        b'{"model":"gpt-4o","x":"\xe2\x82"}',
        b'\xef\xbb\xbf{"model":"gpt-4o"}',
        b'{"model":"gpt-4o","x":' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"model":"gpt-4o","x":' + b"[" * 300 + b"]" * 300 + b"}",
        b'{"model":"gpt-4o","x":"' + b"y" * 70_000 + b'"}',
        b'{"model":"gpt-4o","x":"' + b"y" * 4_100_000 + b'"}',
        dumped("nobody/knows"),
        dumped("mistral/../x"),
        dumped("mistral/" + "x" * 201),
        dumped("mistral/é"),
        dumped("gpt-4o", routing_preferences=[]),
        dumped("gpt-4o", routing_preferences="wrong"),
        dumped("gpt-4o", messages=[*ASK["messages"], {"role": "assistant", "content": "b", "reasoning_content": "c"}]),
    ],
    ids=lambda body: body[:40].decode(errors="replace"),
)
async def test_what_is_not_what_it_seems_is_left_to_ext_proc(world: World, body: bytes) -> None:
    assert not (await world.both(body)).decision.endswith("native")


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        (f"{CHAT}?a=b", {}),
        ("/chat/completions", {}),
        ("/v1/models", {}),
        (CHAT, {"content_type": "text/plain"}),
        (CHAT, {"content_encoding": "deflate"}),
        (CHAT, {"content_encoding": "x-own"}),
        (CHAT, {"traceparent": "00-zz", "tracestate": "a=b"}),
        (CHAT, {"traceparent": "00-" + "0" * 32 + "-" + "0" * 16 + "-01"}),
        (CHAT, {"x_request_id": "of-the-clients-own"}),
    ],
)
async def test_so_is_what_headers_and_paths_say(world: World, path: str, headers: dict[str, str]) -> None:
    assert not (await world.both(dumped("mistral/x"), path, **headers)).decision.endswith("native")


async def test_random_damage_makes_no_difference(world: World) -> None:
    dice = random.Random(14)
    whole = dumped("fast", tools=[{"type": "function", "function": {"name": "f", "parameters": {"a": [1, 2.5, True]}}}])
    for _ in range(80):
        damaged = bytearray(whole)
        for _ in range(dice.randint(1, 3)):
            at = dice.randrange(len(damaged))
            damaged[at : at + dice.randint(0, 2)] = dice.choice((b"", b'"', b"\\", b"{", b"]", b",", b" ", b"\xe9", b"0", b"e"))
        await world.both(bytes(damaged))


async def test_a_trace_is_carried_on_or_begun_with_the_requests_id(world: World) -> None:
    given = f"00-{'ab' * 16}-{'cd' * 8}-01"
    for headers in ({"traceparent": given}, {}):
        answer = await world.native.http.post(world.native.url("models") + CHAT, content=dumped("fast"), headers=JSON | headers)
        began = f"00-{answer.headers['x-request-id'].replace('-', '')}-"
        assert world.provider.last.headers["traceparent"].startswith(given if headers else began)
        assert answer.headers["x-plano-decision"] == "alias; native"


@pytest.mark.parametrize("status", [302, 400, 401, 429, 503])
async def test_errors_of_providers(world: World, status: int) -> None:
    world.provider.plays(Answer(status, b'{"type":"error","error":{"type":"x","message":"mine"}}', {"retry-after": "90"}))
    assert (await world.both(dumped("fast"))).decision == "alias; native"


async def test_streams(world: World) -> None:
    async def stream(_request: Received, writer: asyncio.StreamWriter) -> None:
        event = b"data: " + json.dumps({"choices": [], "usage": USAGE}).encode() + b"\n\ndata: [DONE]\n\n"
        writer.write(STREAM_HEAD + b"%x\r\n%s\r\n0\r\n\r\n" % (len(event), event))
        await writer.drain()

    world.provider.plays(stream)
    seen = await world.both(dumped("fast", stream=True))
    assert seen.body.endswith(b"data: [DONE]\n\n")
    assert seen.decision == "alias; native"


async def test_plain_calls_go_on_without_ext_proc() -> None:
    async with acting(USUAL) as provider:
        text = CONFIG.format(provider=provider.url, native="true", models=free_port())
        async with whole_gateway(text, KEYS) as gateway:
            gateway.stop_worker.set()
            await gateway.envoy.until("cluster.ext_proc.membership_healthy", 0)
            statuses = []
            for body in (dumped("fast"), b'{"messages":[]}'):
                answer = await gateway.http.post(gateway.url("models") + CHAT, content=body, headers=JSON)
                statuses.append(answer.status_code)
    assert statuses == [200, 503]


async def test_logs_and_counters_say_the_same(world: World) -> None:
    await world.both(dumped("mistral/large"))
    lines = []
    for gateway in (world.native, world.asked):
        async with asyncio.timeout(10):
            while not (found := [line for line in _log(gateway) if line["model"] == "mistral/large"]):
                await gateway.envoy.stat("none")
        varying = {"time", "request_id", "traceparent", "duration_ms", "first_byte_ms", "decision"}
        lines.append({name: value for name, value in found[-1].items() if name not in varying})
    assert lines[0] == lines[1]
    assert (lines[0]["input_tokens"], lines[0]["output_tokens"]) == ("7", "11")
    stats = (await world.native.envoy.admin.get("/stats?format=prometheus")).text
    assert 'envoy_plano_answers{agent="",api="chat_completions"' in stats.replace("-", "")


def _log(gateway: WholeGateway) -> list[dict[str, Any]]:
    path = gateway.envoy.log.with_name("access.log")
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
