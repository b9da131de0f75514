"""Faults of providers behind a real Envoy, and what reaches clients of every API: one gateway for all of them."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from ext_proc.telemetry import names
from tests.kit.folding import fold, payloads
from tests.kit.llm_provider import HELLO, api_of, cutting, failing, streaming, wants_stream
from tests.kit.llm_streams import UPSTREAM_STREAMS
from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Answer, Behave, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-provider-faults")]

A, B, SPARE, STRICT, PATIENT, OWN = (
    "openai/a",
    "anthropic/b",
    "groq/spare",
    "openai/strict",
    "openai/patient",
    "xai/own",
)
CHECKED, CHECKED_CLAUDE, TRANSLATED = "xai/checked", "anthropic/checked", "deepseek/translated"
ALONE = [
    ("chat_completions", CHECKED, A),
    ("responses", CHECKED, A),
    ("messages", CHECKED_CLAUDE, B),
    ("messages", TRANSLATED, A),
    ("responses", TRANSLATED, A),
]
"""Client APIs, models without fallbacks whose answers are read to their end, and who plays their provider."""
CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/a, base_url: "http://127.0.0.1:{openai}", access_key: sk-a, fallbacks: [groq/spare]}}
  - {{model: anthropic/b, base_url: "http://127.0.0.1:{anthropic}", access_key: sk-b, fallbacks: [groq/spare]}}
  - {{model: groq/spare, base_url: "http://127.0.0.1:{groq}", access_key: sk-c}}
  - model: openai/strict
    base_url: "http://127.0.0.1:{openai}"
    access_key: sk-a
    fallbacks: [groq/spare]
    resilience: {{retries: {{on: [429, 418], honour_retry_after: failover}}}}
  - model: openai/patient
    base_url: "http://127.0.0.1:{openai}"
    access_key: sk-a
    fallbacks: [anthropic/b]
    resilience: {{retries: {{attempts: 1}}, timeouts: {{whole: 700ms, first_byte: 5s}}}}
  - {{model: xai/own, base_url: "http://127.0.0.1:{openai}", passthrough_auth: true, fallbacks: [xai/too]}}
  - {{model: xai/too, base_url: "http://127.0.0.1:{openai}", passthrough_auth: true}}
  - {{model: xai/checked, base_url: "http://127.0.0.1:{openai}", access_key: sk-a, checks_answers: true}}
  - {{model: anthropic/checked, base_url: "http://127.0.0.1:{anthropic}", access_key: sk-b, checks_answers: true}}
  - {{model: deepseek/translated, base_url: "http://127.0.0.1:{openai}", access_key: sk-a}}
overrides:
  resilience:
    outlier_detection: {{consecutive_errors: 1000}}
    retries: {{backoff: {{base: 5ms, max: 3s}}, budget_percent: 100}}
    timeouts: {{idle: 1s, first_byte: 3s, whole: 4s}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s}}
"""
PATHS = {"chat_completions": "/v1/chat/completions", "messages": "/v1/messages", "responses": "/v1/responses"}
CLIENTS = [("chat_completions", A), ("responses", A), ("messages", A), ("messages", B), ("chat_completions", B)]
"""Client APIs, at models of the same API and of another."""
TEXT = "It rains."


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ModelWorld]:
    async with model_world(CONFIG, (A, B, SPARE)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


async def ask(
    world: ModelWorld, api: str, model: str, *, stream: bool = False, more: dict[str, Any] | None = None, **headers: str
) -> httpx.Response:
    said = {"input": "hi"} if api == "responses" else {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 50}
    body = {"model": model, "stream": stream, **said, **(more or {})}
    sent = {"authorization": "Bearer sk-mine"} | {name.replace("_", "-"): value for name, value in headers.items()}
    return await world.gateway.http.post(world.url + PATHS[api], json=body, headers=sent, timeout=15)


def text_of(api: str, answer: httpx.Response) -> str:
    """Return what an answer says; one that is not complete says nothing."""
    assert answer.status_code == 200, answer.text
    is_stream = answer.headers["content-type"].startswith("text/event-stream")
    whole = fold(api, answer.content) if is_stream else answer.json()
    match api:
        case "chat_completions":
            return str(whole["choices"][0]["message"]["content"]) if whole["choices"][0]["finish_reason"] == "stop" else ""
        case "messages":
            return "".join(block["text"] for block in whole["content"]) if whole["stop_reason"] == "end_turn" else ""
    return str(whole["output"][0]["content"][0]["text"]) if whole["status"] == "completed" else ""


def told(request: Received) -> tuple[bytes, bool, str]:
    """Return the stream that would be a good answer, whether one is asked for, and the API."""
    api = api_of(request)
    return UPSTREAM_STREAMS[api](HELLO), wants_stream(request, orjson.loads(request.body)), api


def whole_of(api: str) -> bytes:
    return orjson.dumps(fold(api, UPSTREAM_STREAMS[api](HELLO)))


async def page(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
    return Answer(body=b"<!DOCTYPE html><html><body>Scheduled maintenance</body></html>", headers={"content-type": "text/html"})


async def empty(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
    _, is_stream, api = told(request)
    nothing: dict[str, Any] = {
        "chat_completions": {"choices": [], "usage": {"completion_tokens": 20}},
        "messages": {"type": "message", "content": [], "stop_reason": "end_turn", "usage": {"output_tokens": 20}},
        "responses": {"status": "completed", "output": [], "usage": {"output_tokens": 20}},
    }[api]
    if not is_stream:
        return Answer(body=orjson.dumps(nothing))
    last: dict[str, Any] = {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}}
    event: dict[str, Any] = {"messages": last, "responses": {"type": "response.completed", "response": nothing}}.get(
        api, nothing
    )
    await streaming(b"data: " + orjson.dumps(event) + b"\n\ndata: [DONE]\n\n")(request, writer)
    return None


async def half(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
    """End well in the middle of an answer."""
    stream, is_stream, api = told(request)
    if not is_stream:
        return Answer(body=whole_of(api)[:-20])
    await streaming(stream[: stream.index(b"rains")].rpartition(b"\n\n")[0] + b"\n\ndata: [DONE]\n\n")(request, writer)
    return None


async def cut(request: Received, writer: asyncio.StreamWriter) -> None:
    stream, is_stream, api = told(request)
    data = stream[: stream.index(b"rains")] if is_stream else whole_of(api)[:-20]
    await cutting(data, content_type=b"text/event-stream" if is_stream else b"application/json")(request, writer)


async def failed(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
    """Say in the middle of an answer, in the API's own way, that the model has failed."""
    stream, is_stream, api = told(request)
    error = {"message": "The model has failed.", "code": "server_error"}
    lasts: dict[str, dict[str, Any]] = {
        "chat_completions": {"choices": [{"index": 0, "delta": {}, "message": {}, "finish_reason": "error", "error": error}]},
        "messages": {"type": "error", "error": {"type": "api_error", **error}},
        "responses": {"type": "response.failed", "response": {"status": "failed", "error": error}},
    }
    last = lasts[api]
    if not is_stream:
        return Answer(body=orjson.dumps(last.get("response", last)))
    begun = stream[: stream.index(b"rains")].rpartition(b"\n\n")[0]
    await streaming(begun + b"\n\ndata: " + orjson.dumps(last) + b"\n\ndata: [DONE]\n\n")(request, writer)
    return None


async def alive(request: Received, writer: asyncio.StreamWriter) -> None:
    """Say half an answer, and then, for ever, that the connection is alive."""
    stream, is_stream, _ = told(request)
    data = stream[: stream.index(b"rains")].rpartition(b"\n\n")[0] + b"\n\n" if is_stream else b" "
    await cutting(data, silent=False, content_type=b"text/event-stream" if is_stream else b"application/json", then=b": x\n\n")(
        request, writer
    )


def page_of(status: int) -> Behave:
    async def behave(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
        return Answer(status, b"error code: %d" % status, {"content-type": "text/plain"})

    return behave


FAULTS: dict[str, Behave] = {
    **{f"s{status}": page_of(status) for status in (408, 409, 424, 500, 501, 521, 524, 529)},
    **{f"s{status}": failing(status, {"error": {"message": "no", "type": "x"}}) for status in (401, 402, 403, 404, 429)},
    "credit": failing(400, {"error": {"message": "Your credit balance is too low.", "type": "invalid_request_error"}}),
    "page": page,
    "empty": empty,
    "half": half,
    "cut": cut,
    "failed": failed,
}


@pytest.mark.parametrize("fault", FAULTS)
async def test_another_model_answers(world: ModelWorld, fault: str) -> None:
    for api, model in CLIENTS:
        for stream in (False, True):
            world.reset().providers[model].behaves = FAULTS[fault]
            answer = await ask(world, api, model, stream=stream)
            assert (text_of(api, answer), api, model, stream) == (TEXT, api, model, stream)
            assert len(world.providers[SPARE].received) == 1


@pytest.mark.parametrize(("api", "model"), CLIENTS)
async def test_what_only_says_that_it_is_alive_is_silent(world: ModelWorld, api: str, model: str) -> None:
    world.providers[model].behaves = alive
    assert text_of(api, await ask(world, api, model, stream=True)) == TEXT


@pytest.mark.parametrize("fault", ["page", "empty", "half", "cut", "failed"])
@pytest.mark.parametrize(("api", "model", "player"), ALONE)
async def test_nothing_looks_complete_that_is_not(world: ModelWorld, fault: str, api: str, model: str, player: str) -> None:
    for stream in (False, True):
        world.reset().providers[player].behaves = FAULTS[fault]
        try:
            answer = await ask(world, api, model, stream=stream)
        except httpx.RemoteProtocolError:
            assert (fault, stream) == ("cut", True)  # Envoy resets the client's stream, too.
            continue
        if answer.status_code == 200:
            assert stream
            assert fault in ("half", "failed")
            last = payloads(answer.content)[-1]
            assert last.get("error") or last["type"] in ("error", "response.failed")
        else:
            assert answer.status_code in (500, 502)
            assert set(answer.json()["error"]) >= {"message", "type"}


@pytest.mark.parametrize(("api", "model", "player"), ALONE)
async def test_who_only_says_that_it_is_alive_is_given_up(world: ModelWorld, api: str, model: str, player: str) -> None:
    world.providers[player].behaves = alive
    answer = await ask(world, api, model, stream=True)
    assert "silent" in orjson.dumps(payloads(answer.content)[-1]).decode()


@pytest.mark.parametrize(("api", "model", "player"), ALONE)
async def test_whoever_is_checked_answers(world: ModelWorld, api: str, model: str, player: str) -> None:
    for stream in (False, True):
        assert text_of(api, await ask(world, api, model, stream=stream)) == TEXT
    assert len(world.providers[player].received) == 2


@pytest.mark.parametrize(("api", "model"), CLIENTS)
async def test_an_answer_comes_in_the_form_that_was_asked_for(world: ModelWorld, api: str, model: str) -> None:
    async def other_form(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        stream, is_stream, spoken = told(request)
        if is_stream:
            return Answer(body=whole_of(spoken))
        await streaming(stream, content_type=b"text/plain")(request, writer)
        return None

    world.providers[model].behaves = other_form
    for stream in (False, True):
        answer = await ask(world, api, model, stream=stream)
        assert text_of(api, answer) == TEXT
        assert answer.headers["content-type"].startswith("text/event-stream") is stream
    assert not world.providers[SPARE].received


LIMITED = failing(429, {"error": {"message": "slow down", "type": "rate_limit_error"}}, retry_after="7")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("status", [400, 401, 404, 503])
async def test_the_most_useful_error_is_told(world: ModelWorld, status: int, *, stream: bool) -> None:
    world.providers[A].behaves = LIMITED
    world.providers[SPARE].behaves = failing(status, {"error": {"message": "of the spare one", "type": "x"}}, retry_after="60")
    answer = await ask(world, "messages", A, stream=stream)
    assert (answer.status_code, answer.headers["retry-after"], answer.headers["x-plano-model"]) == (429, "7", A)
    assert answer.json()["error"]["message"] == "slow down"


@pytest.mark.parametrize("stream", [False, True])
async def test_a_fallback_that_cannot_carry_a_request_hides_nothing(world: ModelWorld, *, stream: bool) -> None:
    world.providers[A].behaves = LIMITED
    answer = await ask(world, "responses", PATIENT, stream=stream, more={"previous_response_id": "resp_1"})
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "7")
    assert not world.providers[B].received


async def test_a_short_wait_is_waited_for_unless_that_is_not_wanted(world: ModelWorld) -> None:
    def briefly(model: str) -> Behave:
        async def behave(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
            world.providers[model].behaves = None
            return Answer(429, b"{}", {"retry-after": "1"})

        return behave

    world.providers[A].behaves = briefly(A)
    answer = await ask(world, "chat_completions", A)
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (A, "2")
    world.providers[A].behaves = briefly(A)
    answer = await ask(world, "chat_completions", STRICT)
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (SPARE, "2")


@pytest.mark.parametrize(("status", "fails_over"), [(418, True), (503, False), (401, False), (409, False)])
async def test_users_say_which_statuses_fail_over(world: ModelWorld, status: int, *, fails_over: bool) -> None:
    world.providers[A].behaves = failing(status, {"error": {"message": "no", "type": "x"}})
    for stream in (False, True):
        answer = await ask(world, "responses", STRICT, stream=stream)
        assert answer.status_code == (200 if fails_over else status)


async def test_a_refused_key_is_told_to_the_operator(world: ModelWorld) -> None:
    count = world.gateway.metric(names.MISCONFIGURED, model=A, fault="key")
    world.providers[A].behaves = FAULTS["s401"]
    assert (await ask(world, "messages", A)).headers["x-plano-model"] == SPARE
    await world.gateway.until(count + 1, names.MISCONFIGURED, model=A, fault="key")


@pytest.mark.parametrize("stream", [False, True])
async def test_a_clients_own_key_is_the_clients_to_mend(world: ModelWorld, *, stream: bool) -> None:
    world.providers[A].behaves = FAULTS["s401"]
    answer = await ask(world, "chat_completions", OWN, stream=stream)
    assert (answer.status_code, len(world.providers[A].received)) == (401, 1)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("retries", "status", "attempts"), [("0", 503, 1), ("1", 200, 2)])
async def test_a_caller_bounds_the_attempts(
    world: ModelWorld, retries: str, status: int, attempts: int, *, stream: bool
) -> None:
    world.providers[A].behaves = failing(503, {"error": {"message": "down"}})
    for api in PATHS:
        world.providers[A].received.clear()
        world.providers[SPARE].received.clear()
        answer = await ask(world, api, A, stream=stream, x_envoy_max_retries=retries)
        assert (answer.status_code, len(world.providers[A].received + world.providers[SPARE].received)) == (status, attempts)


async def test_who_takes_over_a_stream_is_an_attempt_too(world: ModelWorld) -> None:
    world.providers[A].behaves = cut
    answer = await ask(world, "chat_completions", A, stream=True, x_envoy_max_retries="0")
    assert payloads(answer.content)[-1]["error"]["code"] == "stream_cut_off"
    assert not world.providers[SPARE].received


async def test_a_whole_answer_has_a_bound_of_its_own(world: ModelWorld) -> None:
    async def slowly(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        await asyncio.sleep(1.2)
        world.providers[A].behaves = None
        return await world.providers[A](request, writer)

    world.providers[A].behaves = slowly
    assert (await ask(world, "chat_completions", PATIENT, stream=True)).headers["x-plano-model"] == PATIENT
    world.providers[A].behaves = slowly
    assert (await ask(world, "chat_completions", PATIENT)).headers["x-plano-model"] == B
