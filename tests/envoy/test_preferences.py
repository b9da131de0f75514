"""Models chosen by preference, from a configuration to real requests: the routing model, rankings, failover along them."""

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import openai
import pytest
import pytest_asyncio

from tests.kit.actor import Actor, acting, cut
from tests.kit.envoy import free_port
from tests.kit.llm_provider import Provider, failing
from tests.kit.stub_upstream import Answer, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-preferences")]

CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/*, base_url: "{first}", access_key: $FIRST}}
  - {{model: anthropic/claude, base_url: "{second}", access_key: $SECOND}}
  - {{model: groq/plain, base_url: "{third}", access_key: $THIRD, default: true}}
  - {{model: plano/router, base_url: "{router}"}}
overrides:
  llm_routing_model: plano/router
  resilience: {{retries: {{backoff: {{base: 1ms}}}}, outlier_detection: {{max_ejection_percent: 0}}}}
routing_preferences:
  - {{name: code generation, description: Writing new code, models: [openai/gpt-5, anthropic/claude, openai/gpt-4o]}}
  - {{name: small talk, description: Greetings, models: [anthropic/claude]}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}}}
"""
ASK = {"messages": [{"role": "user", "content": "Hello, please say something."}]}
DOWN = {"error": {"message": "down", "type": "server_error"}}


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    first: Provider
    second: Provider
    third: Provider
    router: Actor
    providers: tuple[Provider, ...] = field(default=())

    async def ask(self, path: str = "/v1/chat/completions", **more: Any) -> httpx.Response:
        return await self.gateway.http.post(self.gateway.url("models") + path, json=ASK | more)

    def routes_to(self, *names: str) -> None:
        """Let the routing model name preferences."""
        message = {"role": "assistant", "content": json.dumps({"route": names})}
        self.router.plays(Answer(body=json.dumps({"choices": [{"index": 0, "message": message}]}).encode()))


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        providers = Provider(), Provider(), Provider()
        urls = [f"http://127.0.0.1:{(await enter(serving(provider))).port}" for provider in providers]
        router = await enter(acting(Answer(503)))
        places = dict(zip(("first", "second", "third"), urls, strict=True))
        text = CONFIG.format(**places, router=router.url, port=free_port())
        keys = {"FIRST": "sk-first", "SECOND": "sk-second", "THIRD": "sk-third"}
        yield World(await enter(whole_gateway(text, keys)), *providers, router, providers)


@pytest.fixture
def world(shared: World) -> World:
    for provider in shared.providers:
        provider.reset()
    shared.router.reset()
    return shared


async def test_the_routing_model_chooses_for_a_client_that_names_another_model(world: World) -> None:
    world.routes_to("code generation")
    answer = await world.ask(model="groq/plain")
    assert (answer.status_code, answer.headers["x-plano-model"]) == (200, "openai/gpt-5")
    assert answer.headers["x-plano-decision"] == 'orchestrator; route "code generation"; the only one named'
    assert world.first.last_json == ASK | {"model": "gpt-5"}
    assert world.first.received[0].headers["authorization"] == "Bearer sk-first"
    labels = {"listener": "models", "route": "code generation", "rung": "orchestrator"}
    await world.gateway.until_some("plano_route_decisions_total", **labels)


async def test_failover_follows_the_declared_order_across_apis(world: World) -> None:
    world.routes_to("code generation")
    world.first.behaves = failing(503, DOWN)
    answer = await world.ask()
    assert (answer.status_code, answer.headers["x-plano-model"]) == (200, "anthropic/claude")
    assert answer.headers["x-plano-attempts"] == "3"
    assert answer.json()["choices"][0]["message"]["content"] == "It rains."
    world.second.behaves = failing(500, DOWN)
    answer = await world.ask()
    assert (answer.status_code, answer.headers["x-plano-attempts"]) == (503, "6")
    asked = [json.loads(request.body)["model"] for request in world.first.received]
    assert asked == ["gpt-5", "gpt-5", "gpt-5", "gpt-5", "gpt-4o", "gpt-4o"]
    answer = await world.ask("/v1/messages", max_tokens=9)
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "down")
    keys = [request.headers.get("x-api-key") or request.headers["authorization"] for request in world.second.received]
    assert keys == ["sk-second"] * 5


async def test_a_stream_takes_the_same_way(world: World) -> None:
    world.routes_to("code generation")
    world.first.behaves = failing(503, DOWN)
    url = world.gateway.url("models") + "/v1"
    async with openai.DefaultAsyncHttpxClient(trust_env=False) as http:
        client = openai.AsyncOpenAI(base_url=url, api_key="mine", max_retries=0, http_client=http)
        stream = await client.chat.completions.create(
            model="groq/plain", messages=[{"role": "user", "content": "Hi"}], stream=True
        )
        said = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]
    assert "".join(said) == "It rains."


@pytest.mark.parametrize(
    ("path", "field"), [("chat/completions", "messages"), ("messages", "messages"), ("responses", "input")]
)
async def test_the_decision_api_asks_no_model(world: World, path: str, field: str) -> None:
    world.routes_to("code generation")
    body = {"model": "groq/plain", field: ASK["messages"]}
    trace = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    url = world.gateway.url("models") + "/routing/v1/"
    answer = await world.gateway.http.post(url + path, json=body, headers=trace)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    assert answer.json() == {
        "models": ["openai/gpt-5", "anthropic/claude", "openai/gpt-4o"],
        "route": "code generation",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "pinned": False,
        "switched": False,
    }
    assert answer.headers["x-plano-decision"].startswith("orchestrator; ")
    refused = await world.gateway.http.post(url + path, content=b"{", headers={"content-type": "application/json"})
    assert refused.status_code == 400
    assert ("type" in refused.json()) == (path == "messages")
    assert not any(provider.received for provider in world.providers)


async def test_nothing_fits_and_the_requested_or_default_model_answers(world: World) -> None:
    world.routes_to()
    answer = await world.ask(model="openai/other")
    assert answer.headers["x-plano-model"] == "openai/other"
    assert answer.headers["x-plano-decision"] == "requested_model; orchestrator found nothing that fits"
    answer = await world.ask()
    assert answer.headers["x-plano-model"] == "groq/plain"
    assert answer.headers["x-plano-decision"] == "default_model; orchestrator found nothing that fits"


async def test_a_routing_model_that_is_down_leaves_it_to_the_built_in_router(world: World) -> None:
    world.router.plays(cut)
    answer = await world.ask(messages=[{"role": "user", "content": "Some new code, please"}])
    assert (answer.status_code, answer.headers["x-plano-model"]) == (200, "openai/gpt-5")
    assert answer.headers["x-plano-decision"].startswith('built_in_router; route "code generation"; orchestrator ')


@pytest.mark.parametrize("stream", [False, True])
async def test_preferences_of_a_request_are_followed_along_their_ranking(world: World, *, stream: bool) -> None:
    world.routes_to("mine")
    mine = [{"name": "mine", "description": "x", "models": ["groq/plain", "openai/gpt-5", "anthropic/claude", "openai/gpt-4o"]}]
    answer = await world.ask(routing_preferences=mine, stream=stream)
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == ("groq/plain", "1")
    assert "rains." in answer.text
    world.third.behaves = world.first.behaves = failing(429, DOWN)
    answer = await world.ask("/v1/messages", max_tokens=9, routing_preferences=mine, stream=stream)
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-attempts"]) == ("anthropic/claude", "3")
    assert "rains." in answer.text
    assert "routing_preferences" not in world.second.last_json
    sent = (world.third, "authorization"), (world.first, "authorization"), (world.second, "x-api-key")
    keys = [provider.received[-1].headers[header] for provider, header in sent]
    assert keys == ["Bearer sk-third", "Bearer sk-first", "sk-second"]
    for provider, _ in sent:
        assert not [name for name in provider.received[-1].headers if name.startswith("x-plano")]


async def test_preferences_of_a_request_go_along_with_no_attempt(world: World) -> None:
    world.routes_to("mine")
    mine = [{"name": "mine", "description": "What I like", "models": ["openai/any", "groq/plain"]}]
    answer = await world.ask(routing_preferences=mine)
    assert answer.headers["x-plano-model"] == "openai/any"
    assert world.first.last_json == ASK | {"model": "any"}
    assert '"name": "mine"' in world.router.last_json["messages"][0]["content"]
    refused = await world.ask(routing_preferences=[{"name": "mine", "description": "x", "models": ["nobody"]}])
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "routing_preferences[0].models[0]")
    assert len(world.first.received) == 1
