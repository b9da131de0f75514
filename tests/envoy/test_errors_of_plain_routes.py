"""Providers' errors on plain routes of a real Envoy: told in the client's API, by calls of ext_proc that only they cost."""

import gzip
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import orjson
import pytest
import pytest_asyncio

from tests.kit.envoy import free_port
from tests.kit.llm_provider import Provider, failing
from tests.kit.stub_upstream import Answer, Received, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-plain-errors")]

CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/gpt-4o, base_url: "http://127.0.0.1:{provider}", access_key: $KEY}}
  - {{model: anthropic/claude, base_url: "http://127.0.0.1:{provider}", access_key: $KEY}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s, max_retries: 0}}
"""
KEY = "0123456789abcdef"
CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
MODELS = {CHAT: "openai/gpt-4o", RESPONSES: "openai/gpt-4o", MESSAGES: "anthropic/claude"}


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    provider: Provider

    async def ask(self, path: str, **more: Any) -> httpx.Response:
        body = {"model": MODELS[path], "max_tokens": 5, "messages": [{"role": "user", "content": "hi"}], "input": "hi"}
        return await self.gateway.http.post(self.gateway.url("models") + path, json=body, **more)

    async def asked_about_errors(self) -> int:
        """Count the messages that Envoy's filters have sent to ext_proc beside the decisions."""
        stats = (await self.gateway.envoy.admin.get("/stats?filter=plano.errors|composite|ext_proc.*streams_started")).text
        return sum(int(line.rpartition(" ")[2]) for line in stats.splitlines() if "streams_started" in line)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        provider = Provider()
        port = (await stack.enter_async_context(serving(provider))).port
        text = CONFIG.format(provider=port, port=free_port())
        yield World(await stack.enter_async_context(whole_gateway(text, {"KEY": KEY})), provider)


@pytest.fixture
def world(shared: World) -> World:
    shared.provider.reset()
    return shared


def says(status: int, body: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def behave(*_: object) -> Answer:
        return Answer(status, body, named)

    return behave


ODD = {
    "a page": (502, b"<html><body>Bad Gateway</body></html>", "The provider answered with status 502."),
    "a text": (401, b"no such key", "no such key"),
    "a bare text": (400, b'{"error":"too hot"}', "too hot"),
    "a detail": (422, b'{"detail":"max_tokens is wrong"}', "max_tokens is wrong"),
    "an array": (429, b'[{"error":{"code":429,"message":"Quota.","status":"RESOURCE_EXHAUSTED"}}]', "Quota."),
    "nothing": (503, b"", "The provider answered with status 503."),
}


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("odd", ODD)
async def test_an_error_of_any_shape_reaches_the_client_in_its_own(world: World, path: str, odd: str) -> None:
    status, body, message = ODD[odd]
    world.provider.behaves = says(status, body, retry_after="3", content_type="text/html")
    answer = await world.ask(path)
    assert (answer.status_code, answer.headers["content-type"], answer.headers["retry-after"]) == (
        status,
        "application/json",
        "3",
    )
    told = answer.json()
    assert told["error"]["message"] == message
    assert (told.get("type"), set(told["error"])) == (
        ("error", {"type", "message"}) if path == MESSAGES else (None, {"message", "type", "param", "code"})
    )


@pytest.mark.parametrize(
    ("path", "error"),
    [
        (CHAT, {"error": {"message": "m", "type": "t", "code": 7, "more": [1.0]}, "vendor": None}),
        (MESSAGES, {"type": "error", "error": {"type": "overloaded_error", "message": "m", "more": 1}, "request_id": "r"}),
    ],
)
async def test_an_error_in_the_clients_shape_passes_byte_for_byte(world: World, path: str, error: dict[str, Any]) -> None:
    body = orjson.dumps(error, option=orjson.OPT_INDENT_2)
    world.provider.behaves = says(529, body, content_type="application/json; charset=utf-8")
    answer = await world.ask(path)
    assert (answer.status_code, answer.content) == (529, body)
    assert answer.headers["content-type"] == "application/json; charset=utf-8"


async def test_an_error_that_is_compressed_is_read_too(world: World) -> None:
    world.provider.behaves = says(500, gzip.compress(b"it broke"), content_encoding="gzip")
    answer = await world.ask(MESSAGES)
    assert answer.json() == {"type": "error", "error": {"type": "api_error", "message": "it broke"}}


async def test_a_key_that_the_provider_repeats_never_reaches_the_client(world: World) -> None:
    async def repeats(request: Received, _writer: object) -> Answer:
        key = request.headers["authorization"]
        error = orjson.dumps({"error": {"message": f"Incorrect API key provided: {key}", "sent": dict(request.headers)}})
        return Answer(401, error, {"x-echo-auth": key, "x-api-key": key, "authorization": key, "x-ratelimit-limit-tokens": "9"})

    world.provider.behaves = repeats
    answer = await world.ask(CHAT)
    assert KEY not in answer.text + str(answer.headers)
    assert (answer.status_code, answer.headers["x-ratelimit-limit-tokens"]) == (401, "9")
    assert answer.json()["error"]["message"] == "Incorrect API key provided: Bearer [redacted]"


@pytest.mark.parametrize("header", ["traceparent", "tracestate", "content-encoding"])
async def test_a_header_that_is_not_utf8_is_the_clients_fault(world: World, header: str) -> None:
    answer = await world.ask(CHAT, headers=[(header.encode(), b"\xff")])
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "invalid_header")


async def test_nothing_but_providers_errors_costs_a_call(world: World) -> None:
    before = await world.asked_about_errors()
    await world.ask(CHAT)
    refused = await world.ask(CHAT, headers={"content-encoding": "compress"})
    assert refused.status_code == 415
    assert await world.asked_about_errors() == before + 2  # the decisions alone
    world.provider.behaves = failing(400, {"error": "no"})
    await world.ask(CHAT)
    assert await world.asked_about_errors() == before + 4


async def test_official_clients_raise_what_their_users_expect(world: World) -> None:
    url = world.gateway.url("models")
    world.provider.behaves = says(404, b"<html>", content_type="text/html")
    chat_http = openai.DefaultAsyncHttpxClient(trust_env=False)
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, http_client=chat_http) as client:
        with pytest.raises(openai.NotFoundError, match="status 404"):
            await client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hi"}])
    message_http = anthropic.DefaultAsyncHttpxClient(trust_env=False)
    async with anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0, http_client=message_http) as claude:
        with pytest.raises(anthropic.NotFoundError, match="status 404"):
            await claude.messages.create(model="claude", max_tokens=5, messages=[{"role": "user", "content": "hi"}])
