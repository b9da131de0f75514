"""How long ext_proc stays in a stream, behind a real Envoy: to its end, until its first token, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import orjson
import pytest
import pytest_asyncio

from ext_proc.telemetry import names
from tests.kit.llm_provider import HELLO, api_of, cutting, failing
from tests.kit.llm_streams import STREAMS
from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-left-streams")]

FIRST, SECOND = "deepseek/first", "mistral/second"
CONFIG = """
version: v0.4.0
model_providers:
  - {{model: deepseek/first, base_url: "http://127.0.0.1:{deepseek}", access_key: sk-1, fallbacks: [mistral/second]}}
  - {{model: mistral/second, base_url: "http://127.0.0.1:{mistral}", access_key: sk-2}}
overrides:
  resilience: {{outlier_detection: {{consecutive_errors: 1000}}, timeouts: {{idle: 2s, first_byte: 1s}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s, MODE}}
"""
CONTINUED, GATED, PASSED = (
    "continues_streams: true",
    "continues_streams: false",
    "continues_streams: false, gates_streams: false",
)
WORDS = [f"{number} " for number in range(64)]
STORY = replace(HELLO, texts=WORDS)
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


@pytest_asyncio.fixture(
    scope="module", loop_scope="module", params=[CONTINUED, GATED, PASSED], ids=["continued", "gated", "passed"]
)
async def mode(request: pytest.FixtureRequest) -> AsyncIterator[tuple[str, ModelWorld]]:
    async with model_world(CONFIG.replace("MODE", request.param), (FIRST, SECOND)) as made:
        yield request.param, made


@pytest_asyncio.fixture(loop_scope="module")
async def world(mode: tuple[str, ModelWorld]) -> ModelWorld:
    return mode[1].reset()


async def event_by_event(request: Received, writer: asyncio.StreamWriter) -> None:
    """Tell the story so that each event arrives alone."""
    writer.write(HEAD)
    for event in STREAMS[api_of(request)](STORY).split(b"\n\n")[:-1]:
        writer.write(b"%x\r\n%s\n\n\r\n" % (len(event) + 2, event))
        await writer.drain()
        await asyncio.sleep(0.002)
    writer.write(b"0\r\n\r\n")
    await writer.drain()


async def ask(world: ModelWorld) -> httpx.Response:
    body = {"model": FIRST, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    return await world.gateway.http.post(f"{world.url}/v1/chat/completions", json=body)


def text_of(answer: httpx.Response) -> str:
    datas = [line[6:] for line in answer.text.splitlines() if line.startswith("data: {")]
    deltas: list[Any] = [choice["delta"] for data in datas for choice in orjson.loads(data)["choices"]]
    return "".join(delta.get("content") or "" for delta in deltas)


async def shown(world: ModelWorld) -> int:
    """Return how many messages the attempt stage was shown so far."""
    answer = await world.gateway.envoy.admin.get("/stats", params={"filter": "ext_proc.stream_msgs_sent$", "format": "json"})
    return sum(entry["value"] for entry in answer.json()["stats"] if entry["name"].startswith("http.listener/(attempts)."))


async def test_the_stage_stays_as_long_as_it_must(mode: tuple[str, ModelWorld], world: ModelWorld) -> None:
    world.providers[FIRST].behaves = event_by_event
    before = await shown(world)
    answer = await ask(world)
    assert text_of(answer) == "".join(WORDS)
    assert answer.text.endswith("data: [DONE]\n\n")
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (FIRST, "1")
    assert not [name for name in answer.headers if name.startswith(("x-plano-retry", "x-plano-uncounted"))]
    seen = await shown(world) - before
    # The request's two, the answer's head, and what came until the first token, or until Envoy knew.
    assert 3 <= seen <= 8


async def test_what_is_read_is_counted(mode: tuple[str, ModelWorld], world: ModelWorld) -> None:
    outcome = "completed" if mode[0] == CONTINUED else "begun"
    before = world.gateway.metric(names.ATTEMPTS, model=FIRST, outcome=outcome)
    tokens = world.gateway.metric(names.LLM_TOKENS, model=FIRST, kind="output")
    await ask(world)
    await world.gateway.until(before + 1, names.ATTEMPTS, model=FIRST, outcome=outcome)
    assert world.gateway.metric(names.LLM_TOKENS, model=FIRST, kind="output") == tokens + (3 if mode[0] == CONTINUED else 0)


async def test_a_header_that_is_not_utf8_passes_where_no_stream_is_continued(
    mode: tuple[str, ModelWorld], world: ModelWorld
) -> None:
    body = {"model": FIRST, "messages": [{"role": "user", "content": "hi"}], "stream": mode[0] != CONTINUED}
    headers = [(b"x-city", "Köln".encode("latin-1"))]
    answer = await world.gateway.http.post(f"{world.url}/v1/chat/completions", json=body, headers=headers)
    assert answer.status_code == 200
    assert world.providers[FIRST].received[-1].headers["x-city"].encode(errors="surrogateescape") == headers[0][1]


async def test_a_stream_that_says_nothing_is_replaced_where_it_is_waited_for(
    mode: tuple[str, ModelWorld], world: ModelWorld
) -> None:
    role = b'data: {"choices":[{"index":0,"delta":{"role":"assistant"}}]}\n\n'
    world.providers[FIRST].behaves = cutting(role, content_type=b"text/event-stream")
    if mode[0] == PASSED:
        with pytest.raises(httpx.RemoteProtocolError):
            await ask(world)
        return
    answer = await ask(world)
    assert (text_of(answer), answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == ("It rains.", SECOND, "3")


@pytest.mark.parametrize("failure", [failing(503, {"error": {"message": "down"}}), cutting(b'{"id":')], ids=["503", "cut"])
async def test_what_is_no_stream_is_read_as_a_whole_in_every_mode(world: ModelWorld, failure: Any) -> None:
    world.providers[FIRST].behaves = failure
    answer = await ask(world)
    assert (text_of(answer), answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == ("It rains.", SECOND, "3")


async def test_an_answer_without_a_body_is_one_clear_error_when_nobody_is_left(
    mode: tuple[str, ModelWorld], world: ModelWorld
) -> None:
    async def empty(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
        return Answer(200, b"", {"content-type": "text/event-stream"})

    for provider in world.providers.values():
        provider.behaves = empty
    answer = await ask(world)
    assert answer.status_code == 502
    assert answer.json()["error"]["code"] == "empty_answer"


async def test_a_large_stream_is_whole_for_a_slow_client(world: ModelWorld) -> None:
    large = replace(HELLO, texts=[f"{number:6}" * 2000 for number in range(100)])

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        stream = STREAMS[api_of(request)](large)
        writer.write(HEAD + b"%x\r\n%s\r\n0\r\n\r\n" % (len(stream), stream))
        await writer.drain()

    world.providers[FIRST].behaves = behave
    body = {"model": FIRST, "messages": [{"role": "user", "content": "hi"}], "stream": True}
    received = bytearray()
    async with world.gateway.http.stream("POST", f"{world.url}/v1/chat/completions", json=body) as answer:
        async for chunk in answer.aiter_raw(1 << 16):
            received += chunk
            await asyncio.sleep(0.005)
    assert received.count(b'"content"') >= len(large.texts)
    assert received.endswith(b"data: [DONE]\n\n")
