"""What a real Envoy counts of answers by agent and model, of plain routes and of those that attempts look at, in each API."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from prometheus_client.parser import text_string_to_metric_families

from tests.kit.envoy import free_port
from tests.kit.stub_upstream import Answer, Received, Written, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-answer-stats")]

CONFIG = """
version: v0.4.0
agents: [{{id: weather, url: 'http://127.0.0.1:{up}'}}]
model_providers:
  - {{model: openai/plain, base_url: 'http://127.0.0.1:{up}', access_key: $KEY}}
  - {{model: openai/first, base_url: 'http://127.0.0.1:{up}', access_key: $KEY, fallbacks: [openai/plain]}}
  - {{model: mistral/*, base_url: 'http://127.0.0.1:{up}', access_key: $KEY}}
  - {{model: anthropic/claude, base_url: 'http://127.0.0.1:{up}', access_key: $KEY}}
model_prices:
  plain: {{input: 2, output: 10, cached_input: 1, reasoning: 20}}
  mistral/*: {{input: 1, output: 1, tiers: [{{above_tokens: 99, input: 3, output: 5, cached_input: 0.5}}]}}
  openai/first: {{input: 4, output: 8}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {models}}}
  - {{type: agent, name: agents, address: 127.0.0.1, port: {agents}, agents: [{{id: weather, description: Tells the weather}}]}}
"""
CHAT = {
    "id": "a",
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}],
    "usage": {
        "prompt_tokens": 100,
        "completion_tokens": 20,
        "total_tokens": 120,
        "prompt_tokens_details": {"cached_tokens": 60},
        "completion_tokens_details": {"reasoning_tokens": 5},
    },
}
MESSAGE = {
    "id": "a",
    "type": "message",
    "role": "assistant",
    "model": "claude",
    "content": [{"type": "text", "text": "Yes."}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 30, "output_tokens": 20, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 10},
}
RESPONSE = {
    "id": "r",
    "object": "response",
    "status": "completed",
    "model": "m",
    "output": [
        {
            "type": "message",
            "id": "m",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "Yes.", "annotations": []}],
        }
    ],
    "usage": {
        "input_tokens": 100,
        "input_tokens_details": {"cached_tokens": 60},
        "output_tokens": 20,
        "output_tokens_details": {"reasoning_tokens": 5},
        "total_tokens": 120,
    },
}
EMBEDDINGS = {"object": "list", "data": [], "model": "m", "usage": {"prompt_tokens": 100, "total_tokens": 100}}
WHOLE = {"/v1/chat/completions": CHAT, "/v1/messages": MESSAGE, "/v1/responses": RESPONSE, "/v1/embeddings": EMBEDDINGS}

Counted = Mapping[tuple[str, frozenset[tuple[str, str]]], float]


def _events(path: str) -> list[tuple[str, Any]]:
    if path == "/v1/messages":
        begun = {**MESSAGE, "content": [], "usage": {**MESSAGE["usage"], "output_tokens": 1}}  # type: ignore[dict-item]
        return [
            ("message_start", {"type": "message_start", "message": begun}),
            ("content_block_start", {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}),
            (
                "content_block_delta",
                {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "Yes."}},
            ),
            ("content_block_stop", {"type": "content_block_stop", "index": 0}),
            ("message_delta", {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": {"output_tokens": 20}}),
            ("message_stop", {"type": "message_stop"}),
        ]
    if path == "/v1/responses":
        return [
            (
                "response.created",
                {"type": "response.created", "response": {**RESPONSE, "status": "in_progress", "usage": None}},
            ),
            ("response.output_text.delta", {"type": "response.output_text.delta", "delta": "Yes."}),
            ("response.completed", {"type": "response.completed", "response": RESPONSE}),
        ]
    delta = {"id": "a", "model": "m", "choices": [{"index": 0, "delta": {"content": "Yes."}, "finish_reason": None}]}
    return [
        ("", delta),
        ("", {**delta, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
        ("", {"id": "a", "model": "m", "choices": [], "usage": CHAT["usage"]}),
    ]


async def provider(request: Received, writer: asyncio.StreamWriter) -> Answer:
    body = json.loads(request.body)
    if body.get("stream"):
        named = (
            (f"event: {name}\n" if name else "") + f"data: {json.dumps(event)}\n\n" for name, event in _events(request.path)
        )
        done = "" if request.path in ("/v1/messages", "/v1/responses") else "data: [DONE]\n\n"
        data = ("".join(named) + done).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: {len(data)}\r\n\r\n"
        writer.write(head.encode() + data)
        return Written()
    answer = json.dumps(WHOLE[request.path]).encode()
    if body.get("user") == "large":
        answer = json.dumps({**CHAT, "more": "a" * (3 << 20)}).encode()
    if body.get("user") == "not the first" and body["model"] == "first":
        return Answer(503, b"{}")
    if body.get("user") == "no usage":
        answer = b"{}"
    if "gzip" in request.headers.get("accept-encoding", ""):
        return Answer(200, gzip.compress(answer), {"content-encoding": "gzip"})
    return Answer(200, answer, {"x-plano-cost": "0"})


@dataclass(slots=True)
class World:
    """A gateway."""

    gateway: WholeGateway

    async def counted(self) -> Counted:
        """Return what Envoy has counted of answers: (name, labels) -> value."""
        text = (await self.gateway.envoy.admin.get("/stats/prometheus", params={"filter": "plano"})).text
        return {
            (sample.name, frozenset(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    async def ask(self, path: str, **body: Any) -> httpx.Response:
        """Ask a model."""
        said: dict[str, Any] = {"messages": [{"role": "user", "content": "Rain?"}], "max_tokens": 9}
        return await self.gateway.http.post(self.gateway.url("models") + path, json={**said, **body})

    async def grown(self, listener: str, path: str, **body: Any) -> dict[str, dict[str, float]]:
        """Ask once, and return what was counted more: name -> model or agent, and kind or status -> value."""
        before = await self.counted()
        said: dict[str, Any] = {"messages": [{"role": "user", "content": "Rain?"}], "max_tokens": 9}
        if path in ("/v1/responses", "/v1/embeddings"):
            said = {"input": "Rain?"}
        answer = await self.gateway.http.post(self.gateway.url(listener) + path, json={**said, **body})
        assert answer.status_code == 200, answer.text
        async with asyncio.timeout(10):
            while True:
                after = await self.counted()
                if _sum(after) > _sum(before):
                    return _grown(before, after)
                await asyncio.sleep(0.02)


def _sum(counted: Counted) -> float:
    return sum(value for (name, _), value in counted.items() if name == "envoy_plano_answers_total")


def _grown(before: Counted, after: Counted) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for (name, labels), value in after.items():
        more = value - before.get((name, labels), 0.0)
        if more and name.startswith("envoy_plano_") and name.endswith("_total"):
            known = dict(labels)
            key = " ".join(filter(None, (known.get(label, "") for label in ("model", "agent", "kind", "status"))))
            found.setdefault(name.removeprefix("envoy_plano_").removesuffix("_total"), {})[key] = more
    return found


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        upstream = await stack.enter_async_context(serving(provider))
        text = CONFIG.format(up=upstream.port, models=free_port(), agents=free_port())
        yield World(await stack.enter_async_context(whole_gateway(text, {"KEY": "sk"})))


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/responses"])
@pytest.mark.parametrize("model", ["openai/plain", "openai/first", "anthropic/claude"])
async def test_each_answer_is_counted_by_its_model(world: World, model: str, path: str, *, stream: bool) -> None:
    """One that passes no Python, one that attempts look at, and one that is translated where its API is another."""
    # Chat Completions tells the usage of a stream only to who asks for it.
    asked = {"stream_options": {"include_usage": True}} if stream and path == "/v1/chat/completions" else {}
    found = await world.grown("models", path, model=model, stream=stream, **asked)
    assert found["answers"] == {f"{model} 200": 1}
    assert found["answers_with_usage"] == {model: 1}
    tokens = found["answer_tokens"]
    assert (tokens[f"{model} input"], tokens[f"{model} output"], tokens[f"{model} cached_input"]) == (100, 20, 60)


PLAIN, FIRST = 40 * 2 + 60 * 1 + 15 * 10 + 5 * 20, 100 * 4 + 20 * 8
"""Thousands of nanodollars: tokens by their prices per million."""
LONG = 40 * 3 + 60 * 0.5 + 20 * 5


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/responses"])
@pytest.mark.parametrize(
    ("model", "entry", "cost"),
    [("plain", "openai/plain", PLAIN), ("openai/first", "openai/first", FIRST), ("mistral/m", "mistral/*", LONG)],
)
async def test_answers_cost_what_their_models_do(world: World, path: str, model: str, entry: str, cost: float) -> None:
    found = await world.grown("models", path, model=model)
    assert found["answer_cost_nanodollars"] == {entry: cost * 1000}
    assert found["answers_with_cost"] == {entry: 1}


async def test_the_model_that_answers_is_the_one_that_is_paid(world: World) -> None:
    found = await world.grown("models", "/v1/chat/completions", model="openai/first", user="not the first")
    assert found["answer_cost_nanodollars"] == {"openai/plain": PLAIN * 1000}


async def test_what_has_no_price_or_no_usage_is_not_free(world: World) -> None:
    found = await world.grown("models", "/v1/messages", model="anthropic/claude")
    assert "answers_with_cost" not in found
    found = await world.grown("models", "/v1/chat/completions", model="openai/plain", user="no usage")
    assert "answers_with_cost" not in found


async def test_a_client_is_told_the_cost_of_what_was_there_as_a_whole(world: World) -> None:
    """Of what passes no Python Envoy knows it too late, and a provider's word for it does not pass."""
    answer = await world.ask("/v1/chat/completions", model="openai/first")
    assert answer.headers["x-plano-cost"] == "0.00056"
    answer = await world.ask("/v1/chat/completions", model="openai/plain")
    assert "x-plano-cost" not in answer.headers


async def test_embeddings(world: World) -> None:
    found = await world.grown("models", "/v1/embeddings", model="openai/plain")
    assert found["answer_tokens"] == {"openai/plain input": 100}


async def test_agents(world: World) -> None:
    found = await world.grown("agents", "/v1/chat/completions", model="whatever")
    assert found["answers"] == {"weather 200": 1}
    assert found["answer_tokens"]["weather input"] == 100


async def test_what_a_client_calls_a_model_is_no_label(world: World) -> None:
    found = await world.grown("models", "/v1/chat/completions", model="mistral/what-a-client-writes")
    assert found["answers"] == {"mistral/* 200": 1}


async def test_who_answers_in_the_place_of_another_is_counted(world: World) -> None:
    found = await world.grown("models", "/v1/chat/completions", model="openai/first", user="not the first")
    assert found["answers"] == {"openai/plain 200": 1}


async def test_a_large_answer_passes_and_is_counted(world: World) -> None:
    """Filters that hold an answer back to read it would refuse it."""
    found = await world.grown("models", "/v1/chat/completions", model="openai/plain", user="large")
    assert found["answers_with_usage"] == {"openai/plain": 1}


async def test_an_answer_without_usage_is_counted_as_such(world: World) -> None:
    found = await world.grown("models", "/v1/chat/completions", model="openai/plain", user="no usage")
    assert found == {"answers": {"openai/plain 200": 1}}


async def test_answers_come_uncompressed(world: World) -> None:
    body = {"model": "openai/plain", "messages": [{"role": "user", "content": "Rain?"}]}
    answer = await world.gateway.http.post(
        f"{world.gateway.url('models')}/v1/chat/completions", json=body, headers={"accept-encoding": "gzip"}
    )
    assert "content-encoding" not in answer.headers
