"""Providers' errors on plain routes of a real Envoy: told in the client's API, by calls of ext_proc that only they cost."""

import asyncio
import gzip
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, suppress
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import orjson
import pytest
import pytest_asyncio

from tests.kit.envoy import free_port
from tests.kit.folding import fold
from tests.kit.llm_provider import HELLO, Provider, cutting, failing
from tests.kit.llm_streams import UPSTREAM_STREAMS
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
EMBEDDINGS = "/v1/embeddings"
MODELS = {CHAT: "openai/gpt-4o", RESPONSES: "openai/gpt-4o", EMBEDDINGS: "openai/gpt-4o", MESSAGES: "anthropic/claude"}
API_OF = {CHAT: "chat_completions", MESSAGES: "messages", RESPONSES: "responses"}


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    provider: Provider

    async def ask(self, path: str, *, stream: bool = False, model: str = "", **more: Any) -> httpx.Response:
        body = _body(path, stream=stream) | ({"model": model} if model else {})
        return await self.gateway.http.post(self.gateway.url("models") + path, json=body, **more)

    def asking(self, path: str, *, stream: bool) -> AbstractAsyncContextManager[httpx.Response]:
        return self.gateway.http.stream("POST", self.gateway.url("models") + path, json=_body(path, stream=stream))

    async def asked_about_errors(self) -> int:
        """Count the messages that Envoy's filters have sent to ext_proc beside the decisions."""
        stats = (await self.gateway.envoy.admin.get("/stats?filter=plano.errors|composite|ext_proc.*streams_started")).text
        return sum(int(line.rpartition(" ")[2]) for line in stats.splitlines() if "streams_started" in line)


def _body(path: str, *, stream: bool) -> dict[str, Any]:
    said = {"messages": [{"role": "user", "content": "hi"}], "input": "hi"}
    return {"model": MODELS[path], "max_tokens": 5, **said, **({"stream": True} if stream else {})}


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
@pytest.mark.parametrize(("status", "body"), [(301, b""), (302, b"<html>Moved</html>"), (307, b"{}"), (304, b"")])
async def test_a_redirection_is_a_fault_of_the_provider_in_the_clients_shape(
    world: World, path: str, status: int, body: bytes
) -> None:
    world.provider.behaves = says(status, body, location="http://elsewhere.example/", content_type="text/html")
    answer = await world.ask(path)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/json")
    assert "location" not in answer.headers
    assert f"redirection ({status})" in answer.json()["error"]["message"]
    assert ("type" in answer.json()) is (path == MESSAGES)
    assert len(world.provider.received) == 1


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
    assert await world.asked_about_errors() == before + 1  # the refusal alone: a plain call is Envoy's
    world.provider.behaves = failing(400, {"error": "no"})
    await world.ask(CHAT)
    assert await world.asked_about_errors() == before + 2


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, EMBEDDINGS])
async def test_a_page_in_place_of_an_answer_is_an_error(world: World, path: str, *, stream: bool) -> None:
    world.provider.behaves = says(200, b"<html>Scheduled maintenance</html>", content_type="text/html; charset=utf-8")
    answer = await world.ask(path, stream=stream)
    assert (answer.status_code, answer.headers["content-type"]) == (502, "application/json")
    assert "`text/html`" in answer.json()["error"]["message"]
    assert answer.headers["x-plano-model"] == MODELS[path]
    assert not {"x-plano-attempt-history", "x-plano-retry", "x-plano-entry"} & {*answer.headers}


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_an_answer_comes_in_the_form_that_was_asked_for(world: World, path: str) -> None:
    api = API_OF[path]
    stream = UPSTREAM_STREAMS[api](HELLO)
    whole = orjson.dumps(fold(api, stream))
    for wants, body, named in ((True, whole, "application/json"), (False, stream, "text/event-stream")):
        world.provider.behaves = says(200, body, content_type=named)
        answer = await world.ask(path, stream=wants)
        assert answer.headers["content-type"] == ("text/event-stream" if wants else "application/json")
        told = fold(api, answer.content) if wants else answer.json()
        assert b"It rains." in orjson.dumps(told)


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_a_stream_with_a_wrong_name_flows(world: World, path: str) -> None:
    """Its first events reach the client while the provider has not said the rest."""
    stream = UPSTREAM_STREAMS[API_OF[path]](HELLO)
    world.provider.behaves = cutting(stream[: stream.index(b"rains")], silent=True, content_type=b"application/json")
    seen = b""
    with suppress(TimeoutError):
        async with asyncio.timeout(3), world.asking(path, stream=True) as answer:
            assert answer.headers["content-type"] == "text/event-stream"
            async for data in answer.aiter_raw():
                seen += data
                if b"It " in seen:
                    return
    pytest.fail(f"only {seen!r} has come")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES, "translated"])
@pytest.mark.parametrize(
    ("status", "content_type"), [(200, "text/plain"), (200, "application/json"), (204, "text/event-stream")]
)
async def test_an_answer_without_anything_in_it_is_an_error(
    world: World, path: str, status: int, content_type: str, *, stream: bool
) -> None:
    world.provider.behaves = says(status, b"", content_type=content_type)
    model, path = ("openai/gpt-4o", MESSAGES) if path == "translated" else (MODELS[path], path)
    answer = await world.ask(path, stream=stream, model=model)
    assert (answer.status_code, answer.json()["error"]["message"]) == (502, "The provider's answer was empty.")


async def test_an_error_in_another_form_has_its_own_status(world: World) -> None:
    body = b'{"error":{"message":"slow down","type":"rate_limit_error","code":429}}'
    world.provider.behaves = says(200, body, content_type="application/json", retry_after="9")
    answer = await world.ask(CHAT, stream=True)
    assert (answer.status_code, answer.json()["error"]["message"]) == (429, "slow down")


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
