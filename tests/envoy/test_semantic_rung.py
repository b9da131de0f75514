"""The semantic rung from a configuration to real requests: the embedder's own process, or a provider's embeddings."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field

import orjson
import pytest
import pytest_asyncio

from ext_proc.embedder.server import render_answer
from ext_proc.process.activation import listening
from tests.kit import envoy
from tests.kit.embedder import embedder_process, vectors_of
from tests.kit.envoy import free_port
from tests.kit.llm_provider import Provider
from tests.kit.stub_upstream import Answer, Received, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-semantic")]

CONFIG = """
version: v0.4.0
agents:
  - {{id: weather_agent, url: "{agent}"}}
  - {{id: flight_agent, url: "{agent}"}}
model_providers:
  - {{model: openai/gpt-4o, base_url: "{agent}", access_key: $KEY, default: true}}
  - {{model: openai/embed-small, base_url: "{embeddings}", access_key: $EMBEDDINGS_KEY}}
  - {{model: mistral/writer, base_url: "{agent}", access_key: $KEY}}
routing_preferences:
  - {{name: poetry, description: Writing poems and songs, models: [mistral/writer]}}
  - {{name: code, description: Writing and explaining code, examples: [why does my loop never end], models: [openai/gpt-4o]}}
listeners:
  - type: agent
    name: agents
    address: 127.0.0.1
    port: {agents_port}
    agents:
      - {{id: weather_agent, description: Forecasts for any city}}
      - {{id: flight_agent, description: Planes between airports, default: true}}
  - {{type: model, name: models, address: 127.0.0.1, port: {models_port}}}
overrides:
  resilience: {{retries: {{backoff: {{base: 1ms}}}}}}
  {overrides}
"""


@dataclass(slots=True)
class Embeddings:
    """A provider of embeddings, with the vectors of the built-in model."""

    answer: Answer | None = None
    keys: list[str] = field(default_factory=list)

    async def __call__(self, request: Received, _writer: asyncio.StreamWriter) -> Answer:
        assert request.path == "/v1/embeddings"
        self.keys.append(request.headers.get("authorization", ""))
        asked = orjson.loads(request.body)
        assert asked["model"] == "embed-small"
        return self.answer or Answer(body=orjson.dumps(render_answer(vectors_of(asked["input"]), is_base64=False)))


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    embeddings: Embeddings

    async def decision(self, said: str, listener: str = "agents") -> str:
        body = {"messages": [{"role": "user", "content": said}]}
        answer = await self.gateway.http.post(f"{self.gateway.url(listener)}/v1/chat/completions", json=body)
        assert answer.status_code == 200, answer.text
        return answer.headers["x-plano-decision"]

    async def until_ready(self) -> None:
        async with asyncio.timeout(30):
            while True:
                if "not embedded yet" not in await self.decision("hm"):
                    return
                await asyncio.sleep(0.05)


async def started(stack: AsyncExitStack, overrides: str, embedder: str) -> World:
    embeddings = Embeddings()
    agent = await stack.enter_async_context(serving(Provider()))
    provider = await stack.enter_async_context(serving(embeddings))
    text = CONFIG.format(
        agent=f"http://127.0.0.1:{agent.port}",
        embeddings=f"http://127.0.0.1:{provider.port}",
        agents_port=free_port(),
        models_port=free_port(),
        overrides=overrides,
    )
    env = {"KEY": "k", "EMBEDDINGS_KEY": "e"}
    world = World(await stack.enter_async_context(whole_gateway(text, env, embedder=embedder)), embeddings)
    await world.until_ready()
    return world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def built_in() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        folder = await stack.enter_async_context(envoy.short_folder())
        address = f"unix://{folder}/embedder.sock"
        listener = stack.enter_context(listening(address))
        await stack.enter_async_context(embedder_process(listener))
        yield await started(stack, "embedding_timeout: 10s", address)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def provided() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        yield await started(stack, "agent_embedding_model: openai/embed-small", "")


async def test_an_agent_is_chosen_by_meaning(built_in: World) -> None:
    decision = await built_in.decision("Do I need an umbrella in Bergen tomorrow?")
    assert decision.startswith("semantic; score ")
    assert decision.partition(", then ")[2].startswith("flight_agent")
    await built_in.gateway.until_some("plano_decisions_total", listener="agents", agent="weather_agent", rung="semantic")
    assert built_in.gateway.metric("plano_embedding_duration_seconds_count", outcome="2xx") >= 1


async def test_what_nobody_answers_goes_to_the_default_agent(built_in: World) -> None:
    assert (await built_in.decision("How do I knit a scarf?")).startswith("default_agent; nothing is near enough: ")


async def test_preferences_are_chosen_by_the_same_rung(built_in: World) -> None:
    assert (await built_in.decision("Some verses about the sea, please", "models")).startswith(
        'semantic; route "poetry"; score '
    )
    assert (await built_in.decision("It iterates forever, what is wrong?", "models")).startswith(
        'semantic; route "code"; score '
    )
    assert (await built_in.decision("What is the capital of Peru?", "models")).startswith("default_model; nothing is near")


async def test_a_provider_embeds_with_its_own_key(provided: World) -> None:
    assert (await provided.decision("Do I need an umbrella in Bergen tomorrow?")).startswith("semantic; score ")
    assert set(provided.embeddings.keys) == {"Bearer e"}


async def test_a_provider_that_fails_leaves_it_to_words(provided: World) -> None:
    provided.embeddings.answer = Answer(status=429, body=b"{}")
    try:
        decision = await provided.decision("Anything about airports around here?")
        assert decision == 'built_in_router; embeddings answered 429; matched "airports"'
    finally:
        provided.embeddings.answer = None
