"""Streams that are cut or fall silent in mid-answer, behind a real Envoy, as official clients see them."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import anthropic
import httpx
import openai
import orjson
import pytest
import pytest_asyncio

from ext_proc.telemetry import names
from tests.kit.llm_provider import HELLO, WEATHER, api_of, cutting, failing
from tests.kit.llm_streams import STREAMS
from tests.kit.llm_streams import Answer as Said
from tests.kit.model_world import ModelWorld, model_world
from tests.kit.stub_upstream import Behave, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-continued-streams")]

FIRST, CLAUDE, MISTRAL, PLAIN = "deepseek/first", "anthropic/claude", "mistral/large", "openai/gpt"
CONFIG = """
version: v0.4.0
model_providers:
  - model: deepseek/first
    base_url: "http://127.0.0.1:{deepseek}"
    access_key: sk-1
    fallbacks: [anthropic/claude, mistral/large, openai/gpt]
  - {{model: anthropic/claude, base_url: "http://127.0.0.1:{anthropic}", access_key: sk-2}}
  - {{model: mistral/large, base_url: "http://127.0.0.1:{mistral}", access_key: sk-3}}
  - {{model: openai/gpt, base_url: "http://127.0.0.1:{openai}", access_key: sk-4}}
  - model: deepseek/brief
    base_url: "http://127.0.0.1:{deepseek}"
    access_key: sk-1
    fallbacks: [mistral/large]
    resilience: {{timeouts: {{first_byte: 1s, total: 1s}}}}
overrides:
  resilience: {{outlier_detection: {{consecutive_errors: 1000}}, timeouts: {{idle: 1s, first_byte: 2s}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s}}
"""
STORY = replace(HELLO, texts=["It ", "rains ", "cats ", "and ", "dogs."])
ASK: list[Any] = [{"role": "user", "content": "How is the weather?"}]
CHAT_TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object", "properties": {}}}}
MESSAGE_TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {}}}
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def extend(received: list[bytes], answer: httpx.Response) -> None:
    """Read an answer to its end, or until it breaks."""
    async for piece in answer.aiter_raw():
        received += [piece]


async def until_taken(world: ModelWorld, to: str, method: str, outcome: str, from_: str = FIRST) -> None:
    """Wait until a takeover is counted; the client has its answer before."""
    await world.gateway.until_some(names.CONTINUATIONS, from_=from_, to=to, method=method, outcome=outcome)


def partly(said: Said, until: bytes, *, silent: bool = False) -> Behave:
    """Send a stream up to and with the event that holds some bytes; then cut the connection, or say no more."""

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        stream = STREAMS[api_of(request)](said)
        end = stream.index(b"\n\n", stream.index(until)) + 2
        writer.write(_HEAD + b"%x\r\n%s\r\n" % (end, stream[:end]))
        await writer.drain()
        if silent:
            await asyncio.Event().wait()
        # Whatever was written has arrived before the connection breaks.
        await asyncio.sleep(0.05)
        writer.transport.abort()

    return behave


def saying(said: Said) -> Behave:
    """Send a whole stream."""

    async def behave(request: Received, writer: asyncio.StreamWriter) -> None:
        stream = STREAMS[api_of(request)](said)
        writer.write(_HEAD + b"%x\r\n%s\r\n0\r\n\r\n" % (len(stream), stream))
        await writer.drain()

    return behave


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[ModelWorld]:
    async with model_world(CONFIG, (FIRST, CLAUDE, MISTRAL, PLAIN)) as made:
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def world(shared: ModelWorld) -> ModelWorld:
    return shared.reset()


async def chat(world: ModelWorld, **more: Any) -> tuple[str, list[Any]]:
    stream = await world.openai.chat.completions.create(model=FIRST, messages=ASK, stream=True, **more)
    chunks = [chunk async for chunk in stream]
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), chunks


async def test_a_healthy_stream_passes_as_it_is(world: ModelWorld) -> None:
    text, chunks = await chat(world)
    assert text == "It rains."
    assert chunks[-1].usage is not None
    assert [len(provider.received) for provider in world.providers.values()] == [1, 0, 0, 0]
    body = {"model": FIRST, "messages": ASK, "stream": True}
    answer = await world.gateway.http.post(world.url + "/v1/chat/completions", json=body)
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (FIRST, "1")
    assert answer.text.endswith("data: [DONE]\n\n")
    sent = world.providers[FIRST].received[-1].headers
    assert not [header for header in sent if header.startswith("x-plano")]


@pytest.mark.parametrize("silent", [False, True])
async def test_a_cut_text_is_continued_by_prefill(world: ModelWorld, silent: bool) -> None:
    world.providers[FIRST].behaves = partly(STORY, b"cats ", silent=silent)
    world.providers[CLAUDE].behaves = saying(replace(STORY, texts=[" and ", "dogs."]))
    text, chunks = await chat(world)
    assert text == "It rains cats and dogs."
    assert len({chunk.id for chunk in chunks}) == len({chunk.model for chunk in chunks}) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices].count("stop") == 1
    given = world.providers[CLAUDE].last_json["messages"][-1]
    assert (given["role"], given["content"]) in [
        ("assistant", "It rains cats"),
        ("assistant", [{"type": "text", "text": "It rains cats"}]),
    ]
    await until_taken(world, CLAUDE, "prefill", "completed")


async def test_anthropics_client_gets_one_message(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(STORY, b"cats ")
    world.providers[CLAUDE].behaves = saying(replace(STORY, texts=[" and ", "dogs."]))
    async with world.anthropic.messages.stream(model=FIRST, max_tokens=50, messages=ASK) as events:
        final = await events.get_final_message()
    assert [block.text for block in final.content if block.type == "text"] == ["It rains cats and dogs."]
    assert final.stop_reason == "end_turn"


async def test_what_cannot_be_prefilled_is_said_again(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(STORY, b"cats ")
    for model in (CLAUDE, MISTRAL):
        world.providers[model].behaves = failing(400, {"error": {"message": "no prefill"}})
    world.providers[PLAIN].behaves = saying(STORY)
    text, _ = await chat(world)
    assert text == "It rains cats and dogs."
    assert world.providers[PLAIN].last_json["messages"] == ASK
    assert world.providers[MISTRAL].last_json["messages"] == ASK
    first = orjson.loads(world.providers[MISTRAL].received[0].body)["messages"]
    assert first == [*ASK, {"role": "assistant", "content": "It rains cats", "prefix": True}]
    await until_taken(world, PLAIN, "repeat", "completed")
    await until_taken(world, MISTRAL, "prefill", "refused")


async def test_a_second_cut_is_continued_as_well(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(STORY, b"cats ")
    world.providers[CLAUDE].behaves = partly(replace(STORY, texts=[" and ", "dogs."]), b" and ")
    world.providers[MISTRAL].behaves = saying(replace(STORY, texts=["It rains cats and", " dogs."]))
    text, _ = await chat(world)
    assert text == "It rains cats and dogs."
    await until_taken(world, MISTRAL, "prefill", "completed", from_=CLAUDE)


async def test_arguments_of_a_tool_are_continued_by_who_says_the_same(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(WEATHER, b'"arguments":"{')
    world.providers[CLAUDE].behaves = saying(WEATHER)
    tools: list[Any] = [CHAT_TOOL]
    async with world.openai.chat.completions.stream(model=FIRST, messages=ASK, tools=tools) as events:
        final = await events.get_final_completion()
    [call] = final.choices[0].message.tool_calls or []
    assert orjson.loads(call.function.arguments) == {"city": "Paris", "days": [1, 2]}
    await until_taken(world, CLAUDE, "repeat", "completed")


async def test_arguments_that_nobody_repeats_end_in_an_error(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(WEATHER, b'"arguments":"{')
    other = replace(WEATHER, calls=[("get_weather", {"place": "Rome"})])
    world.providers[CLAUDE].behaves = saying(other)
    for model in (MISTRAL, PLAIN):
        world.providers[model].behaves = saying(other)
    tools: list[Any] = [CHAT_TOOL]
    with pytest.raises(openai.APIError, match="cut off"):
        await chat(world, tools=tools)
    await until_taken(world, PLAIN, "repeat", "mismatch")


async def test_anthropics_client_is_told_when_nobody_can_go_on(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(STORY, b"cats ")
    for model in (CLAUDE, MISTRAL, PLAIN):
        world.providers[model].behaves = failing(503, {"error": {"message": "down"}})
    with pytest.raises(anthropic.APIStatusError, match="cut off"):
        async with world.anthropic.messages.stream(model=FIRST, max_tokens=50, messages=ASK) as events:
            await events.get_final_message()


async def test_responses_are_said_again_under_the_first_ids(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = partly(STORY, b"cats ")
    world.providers[CLAUDE].behaves = saying(STORY)
    async with world.openai.responses.stream(model=FIRST, input="hi", store=False) as events:
        seen = [event async for event in events]
        final = await events.get_final_response()
    assert final.output_text == "It rains cats and dogs."
    numbers = [event.sequence_number for event in seen if hasattr(event, "sequence_number")]
    assert numbers == sorted(set(numbers))
    await until_taken(world, CLAUDE, "repeat", "completed")


async def test_an_error_before_the_answer_arrives_as_it_is(world: ModelWorld) -> None:
    for provider in world.providers.values():
        provider.behaves = failing(400, {"error": {"message": "bad thing", "code": "invalid_request"}})
    with pytest.raises(openai.BadRequestError, match="bad thing"):
        await chat(world)


async def test_a_client_that_leaves_cancels_who_went_on(world: ModelWorld) -> None:
    asked = asyncio.Event()
    before = world.gateway.metric(names.ATTEMPTS, model=CLAUDE, outcome="unanswered")

    async def goes_on(_request: Received, _writer: asyncio.StreamWriter) -> None:
        asked.set()
        await asyncio.Event().wait()

    world.providers[FIRST].behaves = partly(STORY, b"cats ")
    world.providers[CLAUDE].behaves = goes_on
    body = {"model": FIRST, "messages": ASK, "stream": True}
    url = world.url + "/v1/chat/completions"
    async with httpx.AsyncClient(trust_env=False) as leaving, leaving.stream("POST", url, json=body), asyncio.timeout(10):
        await asked.wait()
    async with asyncio.timeout(1.5):  # Before the gateway would give it up.
        await world.gateway.until(before + 1, names.ATTEMPTS, model=CLAUDE, outcome="unanswered")
    assert len(world.providers[MISTRAL].received) == 0


async def test_a_large_stream_is_whole_for_a_slow_client(world: ModelWorld) -> None:
    texts = [f"{number:6}" * 2000 for number in range(120)]
    large = replace(HELLO, texts=texts)
    world.providers[FIRST].behaves = partly(large, b"    80")
    world.providers[CLAUDE].behaves = failing(400, {"error": {"message": "no prefill"}})
    world.providers[MISTRAL].behaves = saying(large)
    text = ""
    stream = await world.openai.chat.completions.create(model=FIRST, messages=ASK, stream=True)
    async for chunk in stream:
        text += (chunk.choices[0].delta.content or "") if chunk.choices else ""
        if len(text) % 240_000 == 0:
            await asyncio.sleep(0.02)
    assert text == "".join(texts)


async def test_a_client_that_does_not_read_holds_its_provider_up(world: ModelWorld) -> None:
    most = 64 << 20  # more than all buffers on the way hold
    stopped: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def streams(request: Received, writer: asyncio.StreamWriter) -> None:
        first, *_ = STREAMS[api_of(request)](STORY).split(b"\n\n")[1:]
        event = first.replace(b"It ", b"y" * 100_000) + b"\n\n"
        sent = 0
        writer.write(_HEAD)
        try:
            while sent < most:
                writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                async with asyncio.timeout(0.5):  # shorter than the time after which the gateway gives the stream up
                    await writer.drain()
                sent += len(event)
        except (TimeoutError, ConnectionError):
            pass
        if not stopped.done():
            stopped.set_result(sent)

    world.providers[FIRST].behaves = streams
    body = {"model": FIRST, "messages": ASK, "stream": True}
    async with asyncio.timeout(60), world.gateway.http.stream("POST", world.url + "/v1/chat/completions", json=body) as answer:
        assert answer.status_code == 200
        assert await stopped < most


async def test_a_header_that_is_not_utf8_is_refused_by_name(world: ModelWorld) -> None:
    body = {"model": FIRST, "messages": ASK, "stream": True}
    url = world.url + "/v1/chat/completions"
    answer = await world.gateway.http.post(url, json=body, headers=[(b"x-city", "Köln".encode("latin-1"))])
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-city")
    assert "not UTF-8" in answer.json()["error"]["message"]
    answer = await world.gateway.http.post(url, json=body, headers=[(b"x-city", "Köln".encode())])
    assert answer.status_code == 200
    assert world.providers[FIRST].received[-1].headers["x-city"] == "Köln"


async def test_a_stream_that_never_ends_is_bounded_by_the_total_of_its_model(world: ModelWorld) -> None:
    left = asyncio.Event()

    async def babbles(request: Received, writer: asyncio.StreamWriter) -> None:
        word = STREAMS[api_of(request)](STORY).split(b"\n\n")[1] + b"\n\n"
        writer.write(_HEAD)
        while not writer.transport.is_closing():
            writer.write(b"%x\r\n%s\r\n" % (len(word), word))
            await asyncio.sleep(0.05)
        left.set()

    world.providers[FIRST].behaves = babbles
    url, body = world.url + "/v1/chat/completions", {"model": "deepseek/brief", "messages": ASK, "stream": True}
    received: list[bytes] = []
    async with asyncio.timeout(5), world.gateway.http.stream("POST", url, json=body) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            await extend(received, answer)
        # Reset by Envoy: it neither looks complete nor goes on, and the provider is let go as well.
        await left.wait()
    assert b"".join(received).count(b"It ") > 1
    assert b"[DONE]" not in b"".join(received)
    assert len(world.providers[MISTRAL].received) == 0


async def test_an_answer_that_is_no_stream_is_asked_for_elsewhere_when_it_is_cut(world: ModelWorld) -> None:
    world.providers[FIRST].behaves = cutting(b'{"id":"x')
    text, _ = await chat(world)
    assert text == "It rains."
    assert len(world.providers[CLAUDE].received) == 1
