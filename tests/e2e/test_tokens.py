"""Listeners that ask for tokens: Envoy verifies them by the issuer's keys, and the claim tells the caller."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic
from openai import AsyncOpenAI, AuthenticationError, PermissionDeniedError, RateLimitError

from tests.e2e.stage import FLIGHT, USUAL, WEATHER
from tests.kit.actor import Actor, acting
from tests.kit.completions import COMPLETED
from tests.kit.plano_up import CHAT, MESSAGES, Running, plano_up
from tests.kit.stub_upstream import Answer
from tests.kit.tokens import Issuer, unsigned

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-tokens")]

ASKED: dict[str, Any] = {"messages": [{"role": "user", "content": "Will it rain in Seattle?"}], "max_tokens": 9}
ISSUER, FILES = Issuer("https://issuer.example.com"), Issuer("https://files.example.com")
HERE = "plano"


@dataclass(slots=True)
class Stage:
    gateway: Running
    weather: Actor
    provider: Actor

    def openai(self, token: str) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.gateway.url('models')}/v1", api_key=token, max_retries=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    file = tmp_path_factory.mktemp("jwks") / "jwks.json"
    file.write_bytes(FILES.jwks())
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        weather, flight = [await enter(acting(USUAL[name])) for name in ("weather", "flight")]
        provider = await enter(acting(COMPLETED))
        keys = await enter(acting(Answer(200, ISSUER.jwks())))
        known = {"issuer": ISSUER.name, "audiences": [HERE], "jwks_url": f"{keys.url}/jwks.json"}
        config = {
            "agents": [{"id": "weather", "url": weather.url}, {"id": "flight", "url": flight.url}],
            "model_providers": [
                {"model": f"openai/{name}", "base_url": f"{provider.url}/v1", "access_key": "$KEY", "default": name == "gpt-4o"}
                for name in ("gpt-4o", "gpt-5")
            ],
            "callers": [
                {"name": "team", "subjects": [{"issuer": ISSUER.name, "subject": "team-7"}], "models": ["openai/gpt-4o"]},
                {"name": "small", "subjects": [{"issuer": ISSUER.name, "subject": "small-1"}]},
                {"name": "filed", "subjects": [{"issuer": FILES.name, "subject": "team-7"}]},
            ],
            "ratelimits": [
                {
                    "model": "openai/gpt-4o",
                    "selector": {"key": "x-plano-caller", "value": "small"},
                    "limit": {"tokens": 20, "unit": "hour"},
                }
            ],
            "listeners": [
                {"type": "model", "name": "models", "auth": {"jwt": known}},
                {
                    "type": "agent",
                    "name": "travel",
                    "agents": [WEATHER, FLIGHT],
                    "auth": {
                        "jwt": {
                            "issuer": FILES.name,
                            "audiences": [HERE, "other"],
                            "jwks_file": str(file),
                            "claim": "client_id",
                        }
                    },
                },
            ],
        }
        gateway = await enter(plano_up(config, tmp_path_factory.mktemp("gateway"), env={"KEY": "sk"}))
        yield Stage(gateway, weather, provider)


async def test_official_clients_bring_tokens_as_they_do_keys(stage: Stage) -> None:
    token = ISSUER.token("team-7", HERE)
    async with stage.openai(token) as client:
        assert (await client.chat.completions.create(model="gpt-4o", messages=ASKED["messages"])).choices
        with pytest.raises(PermissionDeniedError, match="gpt-5"):
            await client.chat.completions.create(model="gpt-5", messages=ASKED["messages"])
        assert [model.id async for model in await client.models.list()] == ["openai/gpt-4o"]
    assert token not in str(stage.provider.last.headers)
    async with AsyncAnthropic(base_url=stage.gateway.url("models"), auth_token=token, max_retries=0) as other:
        assert (await other.messages.create(model="gpt-4o", **ASKED)).content
    assert token not in str(stage.provider.last.headers)
    line = await stage.gateway.logged(lambda entry: entry.get("caller") == "team")
    assert line["listener"].endswith("models")


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        unsigned("team-7", HERE, ISSUER.name),
        ISSUER.token("nobody", HERE),
        ISSUER.token("team-7", "another"),
        ISSUER.token("team-7", HERE, seconds=-600),
        FILES.token("team-7", HERE),
        Issuer(ISSUER.name).token("team-7", HERE),
    ],
    ids=["none", "no token", "unsigned", "of nobody", "for others", "expired", "of another issuer", "signed by another"],
)
async def test_nobody_else_gets_in(stage: Stage, token: str) -> None:
    headers = {"authorization": f"Bearer {token}"} if token else {}
    headers |= {"x_plano_subject": "team-7", "x_plano_caller": "team"}
    answer = await stage.gateway.post("models", ASKED, CHAT, **headers)
    assert answer.status_code == 401, answer.text
    assert answer.json()["error"]["code"] in ("invalid_token", "invalid_api_key")
    answer = await stage.gateway.post("models", ASKED, MESSAGES, **headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    async with stage.openai(token or "none") as client:
        with pytest.raises(AuthenticationError):
            await client.chat.completions.create(model="gpt-4o", messages=ASKED["messages"])


async def test_keys_of_a_file_and_a_claim_of_ones_own(stage: Stage) -> None:
    token = FILES.token("whoever", "other", client_id="team-7")
    answer = await stage.gateway.post("travel", ASKED, authorization=f"Bearer {token}")
    assert answer.status_code == 200, answer.text
    assert stage.weather.last.headers["x-plano-caller"] == "filed"
    assert token not in str(stage.weather.last.headers)


async def test_a_rate_limit_can_be_a_callers(stage: Stage) -> None:
    async with stage.openai(ISSUER.token("small-1", HERE)) as client:
        asked = [client.chat.completions.create(model="gpt-4o", messages=ASKED["messages"]) for _ in range(9)]
        answers = await asyncio.gather(*asked, return_exceptions=True)
    refused = [answer for answer in answers if isinstance(answer, RateLimitError)]
    assert 0 < len(refused) < len(answers)
    async with stage.openai(ISSUER.token("team-7", HERE)) as client:
        assert (await client.chat.completions.create(model="gpt-4o", messages=ASKED["messages"])).choices
