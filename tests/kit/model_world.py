"""A whole gateway of models behind a real Envoy, with providers that do as they are told, and official clients before it."""

from collections.abc import AsyncIterator, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import anthropic
import openai

from tests.kit.envoy import free_port
from tests.kit.llm_provider import Provider
from tests.kit.stub_upstream import serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

LISTENER = "models"


@dataclass(frozen=True, slots=True)
class ModelWorld:
    """What a test works with."""

    gateway: WholeGateway
    providers: Mapping[str, Provider]
    """By the name of the model that each plays."""
    ports: Mapping[str, int]
    """Where each of them is."""
    openai: openai.AsyncOpenAI
    anthropic: anthropic.AsyncAnthropic

    @property
    def url(self) -> str:
        return self.gateway.url(LISTENER)

    def reset(self) -> "ModelWorld":
        """Let every provider be well, and forget what it was asked."""
        for provider in self.providers.values():
            provider.reset()
        return self


@asynccontextmanager
async def model_world(config: str, models: Collection[str], env: Mapping[str, str] | None = None) -> AsyncIterator[ModelWorld]:
    """Run a configuration, whose listener is LISTENER; it names ports as {port} and {provider}, a model's first part."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        providers = {model: Provider() for model in models}
        ports = {model: (await enter(serving(provider))).port for model, provider in providers.items()}
        named = {model.partition("/")[0]: port for model, port in ports.items()}
        gateway = await enter(whole_gateway(config.format(port=free_port(), **named), env or {}))
        url = gateway.url(LISTENER)
        chat_http = openai.DefaultAsyncHttpxClient(trust_env=False)
        message_http = anthropic.DefaultAsyncHttpxClient(trust_env=False)
        yield ModelWorld(
            gateway,
            providers,
            ports,
            await enter(openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-client", max_retries=0, http_client=chat_http)),
            await enter(anthropic.AsyncAnthropic(base_url=url, api_key="sk-client", max_retries=0, http_client=message_http)),
        )
