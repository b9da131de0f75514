"""Sessions of a running gateway with two workers, in memory and in Redis: what one worker has decided holds at the other."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.kit.actor import Actor, acting
from tests.kit.completions import COMPLETED
from tests.kit.plano_up import Running, plano_up
from tests.kit.redis_server import redis_server

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-affinity")]

PASSWORD = "not-to-be-seen"
CODE, POEM = "Please write new code.", "A poem about cats."


@dataclass(frozen=True, slots=True)
class Stage:
    gateway: Running
    provider: Actor

    async def ask(self, text: str, path: str = "/v1/chat/completions", **headers: str) -> httpx.Response:
        body = {"model": "openai/plain", "messages": [{"role": "user", "content": text}]}
        return await self.gateway.post("models", body, path, **headers)

    def decided(self) -> list[dict[str, Any]]:
        """What the workers have logged of decisions."""
        text = (self.gateway.site.run_dir / "ext_proc.log").read_text()
        lines = (json.loads(line) for line in text.splitlines() if line.startswith("{"))
        return [line for line in lines if line["event"] == "request_decided"]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["memory", "redis"])
async def stage(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        cache = {"type": request.param, "tenant_header": "x-org"}
        if request.param == "redis":
            redis = await stack.enter_async_context(redis_server(PASSWORD))
            cache["url"] = f"redis://:$PASSWORD@127.0.0.1:{redis.port}"
        provider = await stack.enter_async_context(acting(COMPLETED))
        names = ("plain", "coder", "poet")
        config = {
            "model_providers": [{"model": f"openai/{name}", "base_url": provider.url, "access_key": "$KEY"} for name in names],
            "routing_preferences": [
                {"name": "code", "description": "Writing new code", "models": ["openai/coder"]},
                {"name": "poems", "description": "Poems", "models": ["openai/poet"]},
            ],
            "routing": {"session_cache": cache},
            "overrides": {"agent_embedding_model": "none"},
            "listeners": [{"type": "model", "name": "models"}],
        }
        folder = tmp_path_factory.mktemp("affinity")
        env = {"KEY": "sk-secret", "PASSWORD": PASSWORD}
        gateway = await stack.enter_async_context(plano_up(config, folder, workers=2, env=env))
        yield Stage(gateway, provider)


async def test_a_pin_holds_across_workers(stage: Stage) -> None:
    first = await stage.ask(CODE, x_model_affinity="held")
    assert first.headers["x-plano-model"] == "openai/coder"
    assert first.headers["x-plano-decision"].startswith("built_in_router; ")
    answers = await asyncio.gather(*(stage.ask(POEM, x_model_affinity="held") for _ in range(40)))
    assert {answer.headers["x-plano-model"] for answer in answers} == {"openai/coder"}
    assert {answer.headers["x-plano-decision"] for answer in answers} == {'pinned; route "code" of the session'}
    assert {line["worker"] for line in stage.decided() if line["rung"] == "pinned"} == {0, 1}
    assert {answer.status_code for answer in answers} == {200}


async def test_of_many_first_requests_one_decides(stage: Stage) -> None:
    texts = [CODE, POEM] * 10
    answers = await asyncio.gather(*(stage.ask(text, x_model_affinity="raced") for text in texts))
    assert len({answer.headers["x-plano-model"] for answer in answers}) == 1


async def test_the_decision_api_knows_the_session(stage: Stage) -> None:
    await stage.ask(CODE, x_model_affinity="told")
    told = (await stage.ask(POEM, "/routing/v1/chat/completions", x_model_affinity="told")).json()
    assert (told["models"], told["session_id"], told["pinned"]) == (["openai/coder"], "told", True)
    other = (await stage.ask(POEM, "/routing/v1/chat/completions", x_model_affinity="told", x_org="another")).json()
    assert (other["models"], other["pinned"]) == (["openai/poet"], False)


async def test_what_says_how_a_model_is_chosen_does_not_reach_it(stage: Stage) -> None:
    await stage.ask(CODE, x_model_affinity="mine", x_plano_cache="off", x_plano_max_switch_spend_pct="10")
    sent = stage.provider.last.headers
    assert not {"x-model-affinity", "x-plano-cache", "x-plano-max-switch-spend-pct"} & sent.keys()


async def test_no_password_is_in_logs_state_or_arguments(stage: Stage) -> None:
    await stage.ask(CODE, x_model_affinity="quiet")
    assert not [name for name, text in stage.gateway.logs() if PASSWORD in text]
    pids = [stage.gateway.process(name)["pid"] for name in ("control_plane", "ext_proc", "envoy")]
    assert not any(PASSWORD in Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)  # noqa: ASYNC240
