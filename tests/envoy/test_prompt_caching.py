"""Prompts that reach providers through a real Envoy with marks for their caches, on every way that there is to them."""

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

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-prompt-caching")]

CONFIG = """
version: v0.4.0
model_providers:
  - {{model: anthropic/claude-plain, base_url: "{claude}", access_key: $KEY}}
  - {{model: openai/gpt, base_url: "{gpt}", access_key: $KEY, fallbacks: [anthropic/claude-plain]}}
overrides: {{resilience: {{retries: {{backoff: {{base: 1ms}}}}}}}}
prompt_caching: {{enabled: true, session_affinity: false, min_prefix_tokens: 10}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}}}
"""
RULES = "Answer in one word, whatever is asked. "
MARK = {"cache_control": {"type": "ephemeral"}}
MARKED = [{"type": "text", "text": RULES} | MARK]
MESSAGES = {"model": "anthropic/claude-plain", "system": RULES, "max_tokens": 9, "messages": [{"role": "user", "content": "?"}]}
RESPONSES = {"model": "openai/gpt", "instructions": RULES, "input": "?"}


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    claude: Actor
    gpt: Actor

    async def ask(self, path: str, body: dict[str, Any], **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        await self.gateway.http.post(f"{self.gateway.url('models')}{path}", json=body, headers=named)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        claude, gpt = [await stack.enter_async_context(acting(Answer(status))) for status in (400, 503)]
        text = CONFIG.format(claude=claude.url, gpt=gpt.url, port=free_port())
        yield World(await stack.enter_async_context(whole_gateway(text, {"KEY": "sk-secret"})), claude, gpt)


async def test_the_clients_own_api_is_marked_unless_the_client_minds(world: World) -> None:
    await world.ask("/v1/messages", MESSAGES)
    assert world.claude.last_json["system"] == MARKED
    assert world.claude.last_json["messages"][0]["content"] == [{"type": "text", "text": "?"} | MARK]
    await world.ask("/v1/messages", MESSAGES, x_plano_cache="off")
    assert world.claude.last_json == MESSAGES | {"model": "claude-plain"}
    assert "x-plano-cache" not in world.claude.last.headers


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "continued stream"])
async def test_after_a_failover_only_the_provider_that_wants_marks_gets_them(world: World, stream: bool) -> None:
    asked = RESPONSES | {"stream": stream}
    await world.ask("/v1/responses", asked)
    assert world.gpt.last_json == asked | {"model": "gpt"}
    assert world.claude.last_json["system"] == MARKED
    assert world.claude.last_json["messages"][0]["content"] == [{"type": "text", "text": "?"} | MARK]
