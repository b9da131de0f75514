"""One gateway for all clients' tests: an agent and two providers behind it, and the official clients in front of it."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import anthropic
import openai
import pytest
import pytest_asyncio

from tests.clients.speaking import speak
from tests.kit.actor import Actor, acting
from tests.kit.plano_up import Running, plano_up
from tests.kit.stub_upstream import Answer

SECRETS = {"OPENAI_KEY": "sk-secret-openai", "ANTHROPIC_KEY": "sk-secret-anthropic"}


@dataclass(frozen=True, slots=True)
class Clients:
    """The gateway, and who is behind it."""

    gateway: Running
    agent: Actor
    provider: Actor

    def openai(self, listener: str) -> openai.AsyncOpenAI:
        """Make a client of a listener that does not try again by itself."""
        http = openai.DefaultAsyncHttpxClient(trust_env=False)
        url = f"{self.gateway.url(listener)}/v1"
        return openai.AsyncOpenAI(base_url=url, api_key="sk-client", max_retries=0, http_client=http)

    def anthropic(self, listener: str) -> anthropic.AsyncAnthropic:
        """Make a client of a listener that does not try again by itself."""
        http = anthropic.DefaultAsyncHttpxClient(trust_env=False)
        url = self.gateway.url(listener)
        return anthropic.AsyncAnthropic(base_url=url, api_key="sk-client", max_retries=0, http_client=http)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _clients(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Clients]:
    async with AsyncExitStack() as stack:
        agent, provider = [await stack.enter_async_context(acting(Answer(500))) for _ in range(2)]
        config = {
            "agents": [{"id": "weather", "url": agent.url}, {"id": "flight", "url": agent.url}],
            "model_providers": [
                {"model": "openai/gpt-4o", "base_url": provider.url, "access_key": "$OPENAI_KEY"},
                {"model": "openai/text-embedding-3-small", "base_url": provider.url, "access_key": "$OPENAI_KEY"},
                {"model": "anthropic/claude", "base_url": provider.url, "access_key": "$ANTHROPIC_KEY"},
            ],
            "model_aliases": {"fast": {"target": "gpt-4o"}},
            "listeners": [
                {
                    "type": "agent",
                    "name": "travel",
                    "agents": [
                        {"id": "weather", "description": "Tells the weather, rain and sun."},
                        {"id": "flight", "description": "Finds flights and airlines."},
                    ],
                },
                {"type": "model", "name": "models", "max_retries": 0},
            ],
        }
        gateway = await stack.enter_async_context(plano_up(config, tmp_path_factory.mktemp("clients"), env=SECRETS))
        yield Clients(gateway, agent, provider)


@pytest.fixture
def clients(_clients: Clients) -> Clients:
    """The gateway; agent and provider speak all APIs."""
    for actor in (_clients.agent, _clients.provider):
        actor.reset()
        actor.plays(speak)
    return _clients
