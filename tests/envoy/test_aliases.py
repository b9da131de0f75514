"""Aliases that are more than another name, and an orchestration model with fallbacks: from a configuration to real requests."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from tests.kit.actor import Actor, acting, silence
from tests.kit.envoy import free_port
from tests.kit.stub_upstream import Answer
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-aliases")]

CONFIG = """
version: v0.4.0
agents:
  - {{id: weather, url: "{agent}"}}
  - {{id: flight, url: "{agent}"}}
model_providers:
  - {{model: openai/big, base_url: "{first}", access_key: $FIRST, fallbacks: [groq/spare]}}
  - {{model: openai/small, base_url: "{first}", access_key: $FIRST}}
  - {{model: groq/spare, base_url: "{second}", access_key: $SECOND}}
  - model: openai/hasty
    base_url: "{first}"
    access_key: $FIRST
    fallbacks: [groq/spare]
    resilience: {{timeouts: {{first_byte: 300ms}}}}
model_aliases:
  safe: {{target: openai/small, fallbacks: [groq/spare]}}
  other: {{target: safe}}
  split: {{targets: [{{model: openai/big, weight: 3}}, {{model: groq/spare, weight: 1}}]}}
overrides:
  agent_orchestration_model: openai/big
  resilience: {{retries: {{backoff: {{base: 1ms}}}}, outlier_detection: {{max_ejection_percent: 0}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {models}}}
  - type: agent
    name: travel
    address: 127.0.0.1
    port: {travel}
    agents:
      - {{id: weather, description: Tells the weather.}}
      - {{id: flight, description: Finds flights.}}
"""
SAYS_FLIGHT = {"choices": [{"index": 0, "message": {"role": "assistant", "content": '{"route": ["flight"]}'}}]}
ASK = {"messages": [{"role": "user", "content": "hi"}]}


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    first: Actor
    second: Actor

    async def ask(self, model: str, **more: object) -> httpx.Response:
        return await self.gateway.http.post(
            self.gateway.url("models") + "/v1/chat/completions",
            json=ASK | {"model": model} | more,
            headers={"authorization": "mine"},
        )


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        says_flight = Answer(body=json.dumps(SAYS_FLIGHT).encode())
        first, second = await enter(acting(says_flight)), await enter(acting(says_flight))
        agent = await enter(acting(Answer(body=b'{"from": "agent"}')))
        text = CONFIG.format(agent=agent.url, first=first.url, second=second.url, models=free_port(), travel=free_port())
        yield World(await enter(whole_gateway(text, {"FIRST": "sk-first", "SECOND": "sk-second"})), first, second)


@pytest.fixture
def world(shared: World) -> World:
    shared.first.reset()
    shared.second.reset()
    return shared


@pytest.mark.parametrize("alias", ["safe", "other"])
async def test_fallbacks_of_an_alias_are_not_those_of_its_model(world: World, alias: str) -> None:
    world.first.plays(Answer(status=503))
    answer = await world.ask(alias)
    assert (answer.status_code, answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == (200, "groq/spare", "3")
    assert [json.loads(actor.last.body)["model"] for actor in (world.first, world.second)] == ["small", "spare"]
    sent = [actor.last.headers["authorization"] for actor in (world.first, world.second)]
    assert sent == ["Bearer sk-first", "Bearer sk-second"]
    alone = await world.ask("openai/small")
    assert (alone.status_code, alone.headers["x-plano-model"]) == (503, "openai/small")


EVENTS = b'data: {"choices":[{"index":0,"delta":{"content":"hi"},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'


async def test_a_stream_that_does_not_begin_is_given_up(world: World) -> None:
    world.first.plays(silence)
    world.second.plays(Answer(body=EVENTS, headers={"content-type": "text/event-stream"}))
    answer = await world.ask("openai/hasty", stream=True)
    assert (answer.status_code, answer.content, answer.headers["x-plano-model"]) == (200, EVENTS, "groq/spare")
    assert (len(world.first.received), len(world.second.received)) == (1, 1)


async def test_models_share_an_alias_by_weight(world: World) -> None:
    met = Counter([(await world.ask("split")).headers["x-plano-model"] for _ in range(120)])
    assert met.keys() == {"openai/big", "groq/spare"}
    assert 60 < met["openai/big"] < 115


async def test_an_orchestration_model_with_fallbacks_is_asked_directly(world: World) -> None:
    answer = await world.gateway.http.post(world.gateway.url("travel") + "/v1/chat/completions", json=ASK)
    assert (answer.headers["x-plano-agent"], answer.json()) == ("flight", {"from": "agent"})
    assert answer.headers["x-plano-decision"].startswith("orchestrator")
    assert (world.first.last_json["model"], world.first.last.headers["authorization"]) == ("big", "Bearer sk-first")
