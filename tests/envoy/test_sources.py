"""Rankings by prices and latencies that a real Envoy fetches, and that survive sources that fail."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.kit.actor import Actor, acting
from tests.kit.envoy import free_port
from tests.kit.stub_upstream import Answer
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-sources")]

CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/a, base_url: "{provider}", access_key: $KEY}}
  - {{model: openai/b, base_url: "{provider}", access_key: $KEY}}
  - {{model: openai/c, base_url: "{provider}", access_key: $KEY}}
  - {{model: openai/d, base_url: "{provider}", access_key: $KEY}}
  - {{model: openai/e, base_url: "{provider}", access_key: $KEY}}
  - {{model: openai/f, base_url: "{provider}", access_key: $KEY}}
overrides:
  resilience: {{retries: {{attempts: 0, backoff: {{base: 1ms}}}}, outlier_detection: {{max_ejection_percent: 0}}}}
model_metrics_sources:
  - type: cost
    provider: models.dev
    url: "{catalogue}/own/api.json"
    refresh_interval: 1
    model_aliases: {{mine: openai/c}}
  - {{type: latency, provider: prometheus, url: "{prometheus}", query: 'avg by (model_name) (ttft)', refresh_interval: 1}}
routing_preferences:
  - name: code
    description: Writing code
    models: [openai/a, openai/b, openai/c, openai/d, openai/e, openai/f]
    selection_policy: {{prefer: cheapest}}
  - {{name: greetings, description: Saying hello, models: [openai/a, openai/b], selection_policy: {{prefer: fastest}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}}}
"""
REFRESHES = "plano_source_refreshes_total"


def prices(**dollars: float) -> Answer:
    models = {name: {"cost": {"input": value, "output": value}} for name, value in dollars.items()}
    return Answer(body=json.dumps({"openai": {"models": models}}).encode())


def latencies(**seconds: str) -> Answer:
    result = [{"metric": {"model_name": name}, "value": [1.0, value]} for name, value in seconds.items()]
    return Answer(body=json.dumps({"status": "success", "data": {"resultType": "vector", "result": result}}).encode())


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    catalogue: Actor
    prometheus: Actor
    provider: Actor

    async def asked(self, about: str) -> list[str]:
        """Return the models that are asked, one after another, when all of them fail."""
        self.provider.received.clear()
        ask = {"messages": [{"role": "user", "content": about}], "model": "openai/a"}
        await self.gateway.http.post(self.gateway.url("models") + "/v1/chat/completions", json=ask)
        return [json.loads(request.body)["model"] for request in self.provider.received]

    async def decides(self, **more: Any) -> list[str]:
        ask = {"messages": [{"role": "user", "content": "Write code"}], "model": "openai/a"} | more
        answer = await self.gateway.http.post(self.gateway.url("models") + "/routing/v1/chat/completions", json=ask)
        models: list[str] = answer.json()["models"]
        return models

    async def learns(self, answer: Answer) -> None:
        """Let the catalogue say something, until the gateway knows it: one question may have been on its way."""
        self.catalogue.plays(answer)
        for _ in range(2):
            await self.after("cost", "ok")

    async def after(self, source: str, outcome: str) -> None:
        """Wait until a source was asked once more, with this outcome."""
        await self.gateway.until_more(REFRESHES, source=source, outcome=outcome)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        catalogue = await enter(acting(prices(a=3, b=2, mine=1)))
        prometheus, provider = (
            await enter(acting(latencies(**{"openai/a": "0.4", "b": "0.3"}))),
            await enter(acting(Answer(429))),
        )
        text = CONFIG.format(provider=provider.url, catalogue=catalogue.url, prometheus=prometheus.url, port=free_port())
        gateway = await enter(whole_gateway(text, {"KEY": "sk-secret"}))
        yield World(gateway, catalogue, prometheus, provider)


async def test_failover_follows_the_ranking_by_price_while_sources_come_and_go(world: World) -> None:
    await world.learns(prices(a=3, b=2, mine=1, d=9, e=8, f=7))
    ranking = ["c", "b", "a", "f", "e", "d"]
    assert (world.catalogue.last.method, world.catalogue.last.path) == ("GET", "/own/api.json")
    assert "authorization" not in world.catalogue.last.headers
    assert await world.asked("Write code") == ranking
    for nonsense in (Answer(500), Answer(body=b"<html>"), Answer(body=b'{"openai": {"models": {}}}')):
        world.catalogue.plays(nonsense)
        await world.after("cost", "status" if nonsense.status == 500 else "unreadable")
        assert await world.decides() == [f"openai/{name}" for name in ranking]
    await world.learns(prices(a=1, b=3, f=2, e=2.5))
    assert await world.asked("Write code") == ["a", "f", "e", "b", "c", "d"]


async def test_latencies_rank_by_what_prometheus_answers(world: World) -> None:
    await world.gateway.until_some(REFRESHES, source="latency", outcome="ok")
    assert world.prometheus.last.path == "/api/v1/query?query=avg%20by%20%28model_name%29%20%28ttft%29"
    assert await world.asked("Saying hello") == ["b", "a"]


async def test_a_session_changes_its_model_as_far_as_its_budget_goes(world: World) -> None:
    await world.gateway.until_some(REFRESHES, source="latency", outcome="ok")
    await world.learns(prices(a=9, b=9, mine=1))

    async def decision(about: str, percent: str) -> str:
        ask = {"messages": [{"role": "user", "content": about}], "model": "openai/a"}
        headers = {"x-model-affinity": "one", "x-plano-max-switch-spend-pct": percent}
        url = world.gateway.url("models") + "/v1/chat/completions"
        answer = await world.gateway.http.post(url, json=ask, headers=headers)
        return answer.headers["x-plano-decision"]

    assert (await decision("Write code", "20")).startswith('built_in_router; route "code", cheapest of 6; ')
    assert await decision("Saying hello", "20") == "routing_budget; changing to openai/b costs more than 20 percent"
    await world.learns(prices(a=9, b=0.01, mine=1))
    assert (await decision("Saying hello", "20")).startswith('built_in_router; route "greetings", fastest of 2; ')


async def test_preferences_of_a_request_are_ranked_too(world: World) -> None:
    await world.gateway.until_some(REFRESHES, source="latency", outcome="ok")
    mine = {"name": "mine", "description": "Write code", "models": ["openai/a", "b"], "selection_policy": {"prefer": "fastest"}}
    assert await world.decides(routing_preferences=[mine]) == ["openai/b", "openai/a"]
