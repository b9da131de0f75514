"""A gateway where every pair of APIs occurs, strict providers behind it that follow a script, and the official clients."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import anthropic
import openai
import orjson
import pytest

from control_plane.gateway import chains
from control_plane.gateway.models import ProviderEntry
from ext_proc.apis.registry import spec_of
from tests.clients.scenarios import UPSTREAMS
from tests.kit.api_rules import problems
from tests.kit.envoy import free_port
from tests.kit.folding import fold
from tests.kit.llm_provider import HELLO, api_of, streaming, wants_stream
from tests.kit.llm_streams import UPSTREAM_STREAMS
from tests.kit.llm_streams import Answer as Said
from tests.kit.stub_upstream import Answer, Behave, Received, serving
from tests.kit.whole_gateway import WholeGateway, whole_gateway

Json = dict[str, Any]

_CONFIG: Final = """
version: v0.4.0
model_providers:
{providers}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}, timeout: 10s, max_retries: 0}}
"""


@dataclass(slots=True)
class Strict:
    """A provider that refuses what its API does not allow, and otherwise says what the script makes of the request."""

    script: Callable[[Json], Said] = lambda _: HELLO
    keep_alive: bytes = b""
    """Goes before each event."""
    behaves: Behave | None = None
    received: list[Received] = field(default_factory=list)

    @property
    def bodies(self) -> list[Json]:
        """What was asked so far."""
        return [orjson.loads(request.body) for request in self.received]

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        self.received.append(request)
        if self.behaves is not None:
            return await self.behaves(request, writer)
        asked, api = orjson.loads(request.body), api_of(request)
        if found := problems(api, asked):
            return Answer(400, orjson.dumps({"error": {"type": "invalid_request_error", "message": "; ".join(found)}}))
        stream = UPSTREAM_STREAMS[api](self.script(asked))
        if not wants_stream(request, asked):
            return Answer(body=orjson.dumps(fold(api, stream)))
        if self.keep_alive:
            stream = stream.replace(b"\n\n", b"\n\n" + self.keep_alive)
        await streaming(stream, content_type=spec_of(api).stream_type.encode())(request, writer)
        return None


@dataclass(frozen=True, slots=True)
class World:
    """The gateway, by whom it is asked, and whom it asks."""

    gateway: WholeGateway
    providers: dict[str, Strict]
    """By upstream API."""
    openai: openai.AsyncOpenAI
    anthropic: anthropic.AsyncAnthropic

    def reset(self) -> None:
        """Forget what was said, and all scripts."""
        for api in self.providers:
            self.providers[api].received.clear()
            self.providers[api].behaves = None
            self.providers[api].script, self.providers[api].keep_alive = (lambda _: HELLO), b""


def one_api_each(client_api: str, entry: ProviderEntry) -> str | None:
    """Have each provider speak one API alone."""
    spoken = entry.provider.apis
    if client_api not in UPSTREAMS:
        return client_api if client_api in spoken else None
    return next((api for api in ("messages", "responses", "converse", "chat_completions") if api in spoken), None)


@asynccontextmanager
async def every_pair() -> AsyncIterator[World]:
    """Run it."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        providers = {api: Strict() for api in UPSTREAMS}
        ports = {api: (await enter(serving(provider))).port for api, provider in providers.items()}
        lines = [
            f"  - {{model: {model}, base_url: 'http://127.0.0.1:{ports[api]}', access_key: $KEY}}"
            for api, model in UPSTREAMS.items()
        ]
        text = _CONFIG.format(providers="\n".join(lines), port=free_port())
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(chains, "upstream_api", one_api_each)
            gateway = await enter(whole_gateway(text, {"KEY": "sk-provider"}))
        url = gateway.url("models")
        chat_http = openai.DefaultAsyncHttpxClient(trust_env=False)
        message_http = anthropic.DefaultAsyncHttpxClient(trust_env=False)
        yield World(
            gateway,
            providers,
            await enter(openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="sk-client", max_retries=0, http_client=chat_http)),
            await enter(anthropic.AsyncAnthropic(base_url=url, api_key="sk-client", max_retries=0, http_client=message_http)),
        )
