"""What clients do wrong: the right 4xx in their API's words, soon, and nobody behind the gateway is asked."""

import json
import time
from collections.abc import AsyncIterator

import httpx
import pytest

from tests.e2e.stage import MAX_BYTES, Stage
from tests.e2e.test_agents import shape_of
from tests.kit.plano_up import CHAT, MESSAGES, RESPONSES

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e-stage")]

CANARY = "canary-of-the-body"
NOT_A_REQUEST = {
    "empty": b"",
    "blank": b" \n\t ",
    "not-json": b'{"messages": ' + CANARY.encode(),
    "two-values": b"{} {}",
    "array": b"[]",
    "string": b'"%s"' % CANARY.encode(),
    "null": b"null",
    "number": b"1e400",
    "nan": b'{"messages": NaN}',
    "invalid-utf8": b'{"messages": "\xff\xfe"}',
    "lone-surrogate": b'{"messages": "\\ud800"}',
    "utf16": '{"messages": []}'.encode("utf-16"),
    "nul": b"\x00" * 64,
    "bomb-of-arrays": b'{"messages":' + b"[" * 100_000 + b"]" * 100_000 + b"}",
    "bomb-of-objects": b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    "open-bomb": b"[" * 500_000,
}
WRONG_CONVERSATIONS = {
    "missing": {},
    "null": {"messages": None, "input": None},
    "string": {"messages": "hi", "input": 1},
    "empty": {"messages": [], "input": []},
    "item": {"messages": ["hi"], "input": ["hi"]},
    "role": {"messages": [{"role": 1, "content": "hi"}], "input": [{"role": 1, "content": "hi"}]},
    "content": {"messages": [{"role": "user", "content": 5}], "input": [{"role": "user", "content": 5}]},
}
LISTENERS = ("travel", "models")


def refused(answer: httpx.Response, status: int, path: str) -> None:
    """Check a refusal."""
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/json"), answer.text
    assert shape_of(answer.json()) == ("anthropic" if path.startswith(MESSAGES) else "openai")
    assert CANARY not in answer.text


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("what", NOT_A_REQUEST)
async def test_bodies_that_are_no_requests(stage: Stage, listener: str, path: str, what: str) -> None:
    answer = await stage.gateway.post(listener, NOT_A_REQUEST[what], path)
    refused(answer, 400, path)
    assert stage.weather.received == stage.provider.received == stage.guard.received == []


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("what", WRONG_CONVERSATIONS)
async def test_conversations_that_are_none(stage: Stage, path: str, what: str) -> None:
    answer = await stage.gateway.post("travel", WRONG_CONVERSATIONS[what], path)
    refused(answer, 400, path)
    if path != MESSAGES:
        assert answer.json()["error"]["param"].startswith("input" if path == RESPONSES else "messages")
    assert stage.weather.received == []


@pytest.mark.parametrize("model", [5, True, ["gpt-4o"], {"a": 1}, 1.5])
async def test_a_model_of_another_type(stage: Stage, model: object) -> None:
    answer = await stage.gateway.post("models", {"model": model, "messages": []})
    refused(answer, 400, CHAT)
    assert answer.json()["error"]["param"] == "model"


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "OPTIONS"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_wrong_methods(stage: Stage, listener: str, method: str, path: str) -> None:
    answer = await stage.gateway.http.request(method, f"{stage.gateway.url(listener)}{path}")
    refused(answer, 405, path)
    assert answer.headers["allow"] == "POST"


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    "path",
    ["/", "/v1", "/v1/chat", f"{CHAT}/x", "/v2/chat/completions", "/v1/messages/count", "/x" * 2000, "/%00", "/v1/../etc"],
)
async def test_wrong_paths(stage: Stage, listener: str, path: str) -> None:
    answer = await stage.gateway.post(listener, {"messages": []}, path)
    refused(answer, 400 if path == "/%00" else 404, path)


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
@pytest.mark.parametrize("is_chunked", [False, True])
async def test_bodies_over_the_limit(stage: Stage, listener: str, path: str, is_chunked: bool) -> None:
    body = json.dumps({"model": "fast", "messages": [{"role": "user", "content": "x" * MAX_BYTES}]}).encode()

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1 << 16):
            yield body[start : start + (1 << 16)]

    url, json_type = f"{stage.gateway.url(listener)}{path}", {"content-type": "application/json"}
    answer = await stage.gateway.http.post(url, content=chunks() if is_chunked else body, headers=json_type)
    refused(answer, 413, path)
    assert stage.weather.received == stage.provider.received == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "zstd", "deflate"])
async def test_bodies_that_are_not_what_their_encoding_says(stage: Stage, encoding: str) -> None:
    refused(await stage.gateway.post("travel", b"\x1f\x8b", content_encoding=encoding), 400, CHAT)


async def test_bodies_in_an_unknown_encoding(stage: Stage) -> None:
    refused(await stage.gateway.post("travel", b"\x1f\x8b", content_encoding="lzma"), 415, CHAT)


async def test_a_refusal_takes_milliseconds(stage: Stage) -> None:
    times = []
    for body in (b"", b"{", NOT_A_REQUEST["bomb-of-arrays"]) * 10:
        started = time.perf_counter()
        await stage.gateway.post("travel", body)
        times.append(time.perf_counter() - started)
    assert sorted(times)[len(times) // 2] < 0.1, "the median, on a busy machine"


async def test_what_clients_sent_wrongly_is_not_logged(stage: Stage) -> None:
    for body in (NOT_A_REQUEST["not-json"], {"messages": CANARY}, {"model": CANARY, "messages": []}):
        for listener in LISTENERS:
            await stage.gateway.post(listener, body, f"{CHAT}?q={CANARY}", authorization=f"Bearer {CANARY}")
    answer = await stage.gateway.post("models", {"model": "fast", "messages": []}, x_request_id="after-the-canary")
    assert answer.status_code == 200
    await stage.gateway.logged(lambda line: line["request_id"] == "after-the-canary")
    assert [name for name, text in stage.gateway.logs() if CANARY in text] == []
