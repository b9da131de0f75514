"""Spans of a real Envoy and a real worker, as real collectors get them: one connected tree for each request."""

import asyncio
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.kit.envoy import free_port
from tests.kit.otlp_collector import Collector, ReceivedSpan, collecting
from tests.kit.stub_upstream import Answer, Received, Upstream, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-tracing")]

CARRIED = ("traceparent", "x-request-id")
CHAT = "/v1/chat/completions"
SECRET = "sk-secret-of-tracing"
CONFIG = """
version: v0.4.0
agents: [{{id: weather, url: 'http://127.0.0.1:{agent}'}}, {{id: flight, url: 'http://127.0.0.1:{agent}'}}]
filters: [{{id: guard, type: http, url: 'http://127.0.0.1:{guard}'}}]
model_providers:
  - {{model: openai/gpt-4o, base_url: 'http://127.0.0.1:{model}', access_key: $KEY, fallbacks: [openai/gpt-5]}}
  - {{model: openai/gpt-5, base_url: 'http://127.0.0.1:{model}', access_key: $KEY}}
  - {{model: openai/chooser, base_url: 'http://127.0.0.1:{model}', access_key: $KEY}}
overrides: {{agent_orchestration_model: openai/chooser}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {models}, input_filters: [guard]}}
  - type: agent
    name: agents
    address: 127.0.0.1
    port: {agents}
    agents:
      - {{id: weather, description: Tells the weather}}
      - {{id: flight, description: Finds flights}}
tracing:
  random_sampling: {sampling}
  {endpoint}
  export_interval: 100ms
  headers: {{x-collector-key: $KEY}}
  span_attributes: {{static: {{team: orders}}, header_prefixes: [x-shop-]}}
"""


@dataclass(slots=True)
class World:
    """A gateway, those around it, and the collector of its spans."""

    gateway: WholeGateway
    collector: Collector
    answers: list[Answer]
    """What models answer before they answer as usual."""
    models: Upstream
    guard: Upstream

    async def ask(self, listener: str, **headers: str) -> str:
        """Ask in a trace of its own, and return its id."""
        trace = f"{len(self.collector.spans):016x}{id(headers) & 0xFFFFFFFF:016x}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        traceparent = {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"} if "traceparent" not in headers else {}
        body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Will it rain?"}]}
        answer = await self.gateway.http.post(self.gateway.url(listener) + CHAT, json=body, headers=traceparent | named)
        assert answer.status_code == 200, answer.text
        return trace

    async def spans(self, trace: str, *names: str) -> list[ReceivedSpan]:
        """Wait until the spans of a trace are one tree with these names: Envoy's threads send theirs in their own time."""

        def are_here(_: Sequence[ReceivedSpan]) -> bool:
            found = self.collector.of(trace)
            return {*names} <= {span.name for span in found} and is_connected(found)

        await self.collector.until(are_here)
        return self.collector.of(trace)


def usual(request: Received) -> Answer:
    if b"chooser" in request.body:
        content = '{"route": ["weather"]}'
        return Answer(body=json.dumps({"choices": [{"message": {"role": "assistant", "content": content}}]}).encode())
    usage = {"prompt_tokens": 7, "completion_tokens": 2, "total_tokens": 9}
    choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
    return Answer(body=json.dumps({"id": "a", "model": "gpt-4o-real", "choices": [choice], "usage": usage}).encode())


async def world_of(stack: AsyncExitStack, *, protocol: str, sampling: float = 100) -> World:
    collector = await stack.enter_async_context(collecting())
    answers: list[Answer] = []
    ports = {"models": free_port(), "agents": free_port()}

    async def model(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        return answers.pop(0) if answers and b"chooser" not in request.body else usual(request)

    async def guard(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
        return Answer(body=b"")

    async def agent(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        carried: dict[str, str] = {name: request.headers[name] for name in CARRIED if name in request.headers}
        carried["content-type"] = "application/json"
        async with httpx.AsyncClient(trust_env=False) as client:
            url = f"http://127.0.0.1:{ports['models']}{CHAT}"
            answer = await client.post(url, content=request.body, headers=carried)
        return Answer(answer.status_code, answer.content)

    models = await stack.enter_async_context(serving(model))
    guarding = await stack.enter_async_context(serving(guard))
    agents = await stack.enter_async_context(serving(agent))
    endpoint = {
        "grpc": f"opentracing_grpc_endpoint: 'http://127.0.0.1:{collector.grpc_port}'",
        "http": f"otlp_http_endpoint: 'http://127.0.0.1:{collector.http_port}'",
    }[protocol]
    text = CONFIG.format(
        agent=agents.port, guard=guarding.port, model=models.port, sampling=sampling, endpoint=endpoint, **ports
    )
    # Envoy sends each span at once, instead of five, or after five seconds.
    at_once = {"tracing.opentelemetry.min_flush_spans": 1}
    gateway = await stack.enter_async_context(whole_gateway(text, {"KEY": SECRET}, envoy_runtime=at_once))
    return World(gateway, collector, answers, models, guarding)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await world_of(stack, protocol="grpc")


def one(spans: Sequence[ReceivedSpan], name: str) -> ReceivedSpan:
    (found,) = (span for span in spans if span.name == name)
    return found


def is_connected(spans: Sequence[ReceivedSpan]) -> bool:
    ids = {span.span_id for span in spans}
    return sum(span.parent_id not in ids for span in spans) == 1


async def test_a_request_of_an_agent_is_one_tree_to_the_models_that_its_agent_asks(world: World) -> None:
    spans = await world.spans(await world.ask("agents"), "attempt 1 agent/weather", "chat gpt-4o")
    names = [span.name for span in spans]
    assert names.count(f"POST {CHAT}") == 2, "the agent listener, and the model listener"
    assert {"decide", "filter guard", "chat chooser", "chat gpt-4o", "attempt 1 agent/weather"} <= {*names}
    decided = one([span for span in spans if span.attributes.get("plano.agent")], "decide")
    assert decided.attributes["plano.rung"] == "orchestrator"
    assert decided.attributes["openinference.span.kind"] == "DECISION"
    of_models = [span for span in spans if span.name == f"POST {CHAT}"][1]
    assert of_models.parent_id == one(spans, "attempt 1 agent/weather").span_id


async def test_each_attempt_has_its_span(world: World) -> None:
    world.answers.extend([Answer(503), Answer(503)])
    spans = await world.spans(await world.ask("models"), "chat gpt-4o", "chat gpt-5")
    attempts = [span for span in spans if span.attributes.get("openinference.span.kind") == "LLM"]
    assert [span.attributes["plano.attempt"] for span in attempts] == [*range(1, len(attempts) + 1)]
    assert attempts[0].error == "upstream_error"
    assert attempts[0].attributes["http.response.status_code"] == 503
    last = attempts[-1]
    assert (last.name, last.error) == ("chat gpt-5", "")
    said = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-5",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 2,
        "plano.failover_from": "openai/gpt-4o",
        "plano.failover_reason": "upstream_error",
        "team": "orders",
    }
    assert said.items() <= last.attributes.items()
    hops = [span for span in spans if span.name.startswith("attempt ") and span.scope == "envoy"]
    assert {span.attributes["http.status_code"] for span in hops} >= {"503", "200"}
    assert all(span.attributes["upstream_cluster"] and span.attributes["response_flags"] for span in hops)


async def test_signals_of_a_conversation(world: World) -> None:
    trace = f"{77:032x}"
    talk = [
        {"role": "user", "content": "Book a flight to Oslo"},
        {"role": "assistant", "content": "Here is a hotel."},
        {"role": "user", "content": "No, I meant a flight. Let me speak to a human!"},
    ]
    labels = {"listener": "models", "agent": "", "model": "openai/gpt-4o"}
    body, headers = {"model": "gpt-4o", "messages": talk}, {"traceparent": f"00-{trace}-00f067aa0ba902b7-01"}
    await world.gateway.http.post(world.gateway.url("models") + CHAT, json=body, headers=headers)
    await world.gateway.until(1, "plano_signals_total", type="interaction.disengagement.escalation", **labels)
    await world.gateway.until(1, "plano_conversations_total", quality="severe", **labels)
    decided = one(await world.spans(trace, "chat gpt-4o"), "decide")
    said = {
        "signals.quality": "severe",
        "signals.quality_score": 0.0,
        "signals.turn_count": 3,
        "signals.interaction.misalignment.count": 1,
        "signals.interaction.disengagement.severity": 1,
    }
    assert said.items() <= decided.attributes.items()
    assert [name for name, _ in decided.events] == [
        "signal.interaction.misalignment.correction",
        "signal.interaction.disengagement.escalation",
    ]
    (_, event), _ = decided.events
    assert event["signal.message_index"] == 2
    assert json.loads(event["signal.metadata"]) == {"pattern_type": "phrase", "matched": "no i meant"}
    assert "signal.snippet" not in event, "what was said is told only where that is wanted"


async def test_headers_and_fixed_attributes(world: World) -> None:
    spans = await world.spans(await world.ask("models", x_shop_order_id="7"), "chat gpt-4o")
    assert one(spans, "decide").attributes["order.id"] == "7"
    assert {span.attributes.get("team") for span in spans if "async" not in span.name} == {"orders"}
    assert {span.resource["service.name"] for span in spans} == {"plano"}


async def test_no_credential_and_no_text_is_traced(world: World) -> None:
    trace = await world.ask("models", authorization="Bearer sk-secret-of-a-client", x_request_id="my-own-id")
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "my secret plan"}]}
    other = f"{7:032x}"
    await world.gateway.http.post(
        f"{world.gateway.url('models')}{CHAT}?key=sk-secret-in-query",
        json=body,
        headers={"traceparent": f"00-{other}-00f067aa0ba902b7-01"},
    )
    for spans in (await world.spans(trace, "chat gpt-4o"), await world.spans(other, "chat gpt-4o")):
        assert "secret" not in str(spans)
    assert {headers["x-collector-key"] for headers in world.collector.headers} == {SECRET}, "the collector alone gets its key"


async def test_an_id_of_the_clients_own_has_no_say_in_what_is_traced(world: World) -> None:
    """Envoy's own sampling would trace no request whose id is not a UUID."""
    body = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
    await world.gateway.http.post(world.gateway.url("models") + CHAT, json=body, headers={"x-request-id": "order 66"})
    await world.collector.until(lambda spans: any(span.attributes.get("guid:x-request-id") == "order 66" for span in spans))


async def test_who_is_not_sampled_is_not_traced(world: World) -> None:
    trace = f"{99:032x}"
    await world.ask("models", traceparent=f"00-{trace}-00f067aa0ba902b7-00")
    await world.spans(await world.ask("models"), "chat gpt-4o")
    assert not world.collector.of(trace)
    assert world.models.received[-2].headers["traceparent"].startswith(f"00-{trace}-"), "the trace goes on, unsampled"
    assert world.models.received[-2].headers["traceparent"].endswith("-00")


@pytest.mark.parametrize("protocol", ["http"])
async def test_a_collector_that_is_slow_refuses_or_is_dead_costs_spans_and_nothing_else(protocol: str) -> None:
    async with AsyncExitStack() as stack:
        world = await world_of(stack, protocol=protocol)
        spans = await world.spans(await world.ask("models"), "chat gpt-4o")
        assert is_connected(spans)
        assert {span.scope for span in spans} == {"envoy", "plano.ext_proc"}
        sent = world.gateway.metric("plano_spans_total", outcome="sent")
        assert sent >= 3
        world.collector.refuses = True
        await world.ask("models")
        await world.gateway.until_some("plano_spans_total", outcome="failed")
        world.collector.refuses = False
        world.collector.gate.clear()
        for _ in range(3):
            await world.ask("models")
        world.collector.gate.set()
        await world.gateway.until_more("plano_spans_total", outcome="sent")


async def test_what_is_sampled_is_decided_once() -> None:
    async with AsyncExitStack() as stack:
        world = await world_of(stack, protocol="grpc", sampling=50)
        body: dict[str, Any] = {"model": "gpt-4o", "messages": [{"role": "user", "content": "hi"}]}
        for _ in range(24):
            await world.gateway.http.post(world.gateway.url("agents") + CHAT, json=body)
        asked = [
            request.headers["traceparent"].split("-") for request in world.models.received if b"chooser" not in request.body
        ]
        sampled = {trace for _, trace, _, flags in asked if flags == "01"}
        assert 0 < len(sampled) < 24
        await world.collector.until(
            lambda spans: {s.trace_id for s in spans if s.name == f"POST {CHAT}" and not s.parent_id} >= sampled
        )
        assert {span.trace_id for span in world.collector.spans} == sampled
        for trace in sampled:
            await world.collector.until(lambda _, trace=trace: is_connected(world.collector.of(trace)))  # type: ignore[misc]
