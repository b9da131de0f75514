"""Tokens that clients may use of a model, limited by a real Envoy for what decide says that a request is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import anthropic
import httpx
import openai
import pytest
import pytest_asyncio

from tests.kit.actor import Actor, acting
from tests.kit.completions import COMPLETED
from tests.kit.envoy import free_port
from tests.kit.whole_gateway import WholeGateway, whole_gateway

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-rate-limits")]

CONFIG = """
version: v0.4.0
model_providers:
  - {{model: openai/gpt, base_url: "{provider}", access_key: $KEY, default: true}}
  - {{model: openai/free, base_url: "{provider}", access_key: $KEY, fallbacks: [openai/gpt]}}
  - {{model: anthropic/claude, base_url: "{provider}", access_key: $KEY}}
  - {{model: groq/*, base_url: "{provider}", access_key: $KEY}}
ratelimits:
  - {{model: gpt, selector: {{key: X-User, value: "*"}}, limit: {{tokens: 1000, unit: day}}}}
  - {{model: openai/gpt, selector: {{key: x-user, value: vip}}, limit: {{tokens: 3000, unit: day}}}}
  - {{model: openai/gpt, selector: {{key: x-team, value: red}}, limit: {{tokens: 500, unit: hour}}}}
  - {{model: claude, selector: {{key: x-user, value: "*"}}, limit: {{tokens: 10, unit: day}}}}
  - {{model: groq/small, selector: {{key: x-user, value: "*"}}, limit: {{tokens: 10, unit: day}}}}
  - {{model: openai/free, selector: {{key: x-user, value: quick}}, limit: {{tokens: 1000, unit: second}}}}
listeners:
  - {{type: model, name: models, address: 127.0.0.1, port: {port}}}
"""


@dataclass(frozen=True, slots=True)
class World:
    gateway: WholeGateway
    provider: Actor

    async def ask(self, tokens: int, *, model: str = "gpt", **headers: str) -> httpx.Response:
        body = {"model": model, "messages": [{"role": "user", "content": "word" * tokens}]}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.gateway.http.post(f"{self.gateway.url('models')}/v1/chat/completions", json=body, headers=named)

    async def statuses(self, *tokens: int, **ask: Any) -> list[int]:
        return [(await self.ask(count, **ask)).status_code for count in tokens]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(acting(COMPLETED))
        text = CONFIG.format(provider=provider.url, port=free_port())
        yield World(await stack.enter_async_context(whole_gateway(text, {"KEY": "sk-secret"})), provider)


async def test_each_user_has_tokens_of_its_own_however_the_model_is_called(world: World) -> None:
    assert await world.statuses(600, 600, 300, x_user="alice") == [200, 429, 200]
    assert await world.statuses(90, 90, model="openai/gpt", x_user="alice") == [200, 429]
    assert await world.statuses(600, x_user="bob") == [200]
    assert await world.statuses(2000, 900, 900, x_user="vip") == [200, 200, 429]


async def test_who_names_nobody_and_other_models_have_no_limit(world: World) -> None:
    assert await world.statuses(5000, 5000) == [200, 200]
    assert await world.statuses(5000, 5000, model="free", x_user="carol") == [200, 200]


async def test_every_limit_that_fits_holds(world: World) -> None:
    assert await world.statuses(400, 400, x_user="dave", x_team="red") == [200, 429]
    assert await world.statuses(700, x_user="dave") == [429]
    assert await world.statuses(200, 90, x_team="red") == [429, 200]


async def test_models_of_wildcards_are_limited_by_name(world: World) -> None:
    assert await world.statuses(20, model="groq/small", x_user="erin") == [429]
    assert await world.statuses(20, model="groq/large", x_user="erin") == [200]


async def test_tokens_come_back(world: World) -> None:
    assert await world.statuses(1000, model="free", x_user="quick") == [200]
    async with asyncio.timeout(10):
        while True:
            if await world.statuses(500, model="free", x_user="quick") == [200]:
                return
            await asyncio.sleep(0.02)


async def test_clients_read_how_much_is_left(world: World) -> None:
    answer = await world.ask(250, x_user="frank")
    assert (answer.headers["x-ratelimit-limit"], int(answer.headers["x-ratelimit-remaining"])) == ("1000", 750)
    assert "x-ratelimit-limit" not in (await world.ask(1)).headers


async def test_the_official_clients_hear_of_it_in_their_own_way(world: World) -> None:
    before = len(world.provider.received)
    url, headers = world.gateway.url("models"), {"x-user": "grace"}
    with pytest.raises(openai.RateLimitError) as refused:
        async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="k", max_retries=0, default_headers=headers) as client:
            await client.chat.completions.create(model="gpt", messages=[{"role": "user", "content": "word" * 1001}])
    assert refused.value.code == "rate_limit_exceeded"
    with pytest.raises(anthropic.RateLimitError):
        async with anthropic.AsyncAnthropic(base_url=url, api_key="k", max_retries=0, default_headers=headers) as client:
            await client.messages.create(model="claude", max_tokens=9, messages=[{"role": "user", "content": "word" * 11}])
    assert len(world.provider.received) == before
