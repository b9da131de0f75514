"""`plano status` of a gateway whose upstreams are in trouble: who is ejected and back again, who failed over, and why."""

import asyncio
import json
import os
import re
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.kit.faults import FaultyUpstream, faulty
from tests.kit.plano_up import Config, Running, plano_up
from tests.kit.stub_upstream import Answer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-status"), pytest.mark.timeout(240)]

RAIN = {"messages": [{"role": "user", "content": "Will it rain?"}]}
FIRST, SECOND = "openai/gpt-4.1", "openai/gpt-4o-mini"
CHAIN = f"chain/{FIRST}(chat_completions)"
EJECTION_SECONDS = 4
COMPLETION = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "gpt-4o-mini",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Yes."}}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}


@dataclass(slots=True)
class Stage:
    gateway: Running
    one: FaultyUpstream
    """An instance of agent `weather`."""
    two: FaultyUpstream
    """The other one."""
    first: FaultyUpstream
    """A model."""
    second: FaultyUpstream
    """The model that stands in for it."""

    async def weather(self, fact: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """Return what the status says of agent `weather` once it shows a fact; it is asked meanwhile."""
        while True:
            upstreams = (await self.gateway.site.status())["upstreams"]
            (upstream,) = (upstream for upstream in upstreams if upstream["name"] == "agent/weather")
            if fact(upstream):
                return dict(upstream)
            await self.ask(2)

    async def ask(self, times: int) -> None:
        """Ask the agent: it answers each time."""
        for _ in range(times):
            assert (await self.gateway.post("travel", RAIN)).status_code == 200


def config(one: FaultyUpstream, two: FaultyUpstream, first: FaultyUpstream, second: FaultyUpstream) -> Config:
    outliers = {"consecutive_errors": 2, "ejection_time": f"{EJECTION_SECONDS}s"}
    return {
        "agents": [
            {
                "id": "weather",
                "url": [f"http://127.0.0.1:{instance.port}" for instance in (one, two)],
                "resilience": {"outlier_detection": outliers, "load_balancing": "round_robin"},
            }
        ],
        "model_providers": [
            {"model": FIRST, "base_url": f"http://127.0.0.1:{first.port}", "access_key": "$KEY", "fallbacks": [SECOND]},
            {"model": SECOND, "base_url": f"http://127.0.0.1:{second.port}", "access_key": "$KEY"},
        ],
        "listeners": [
            {"type": "agent", "name": "travel", "agents": [{"id": "weather", "description": "Tells the weather."}]},
            {"type": "model", "name": "models"},
        ],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with (
        faulty("one", "two", "first", "second") as upstreams,
        plano_up(config(*upstreams), tmp_path_factory.mktemp("status"), env={"KEY": "sk-secret"}) as gateway,
    ):
        yield Stage(gateway, *upstreams)


def states(upstream: dict[str, Any]) -> list[str]:
    return sorted(instance["state"] for instance in upstream["instances"])


async def test_an_instance_that_is_down_is_ejected_and_comes_back(stage: Stage) -> None:
    async with asyncio.timeout(90):
        before = await stage.weather(lambda upstream: states(upstream) == ["healthy", "healthy"])
        assert before["breakers"]["requests"].items() >= {"open": False, "overflows": 0}.items()
        await stage.two.down()
        await stage.ask(8)

        seen = await stage.weather(lambda upstream: states(upstream) == ["ejected", "healthy"])
        (ejected,) = (instance for instance in seen["instances"] if instance["state"] == "ejected")
        assert (ejected["address"], ejected["errors"] > 0) == (f"127.0.0.1:{stage.two.port}", True)
        assert (seen["answers"] >= before["answers"] + 8, seen["failed"]) == (True, 0)
        assert seen["retries_by_reason"] == {"no_answer": seen["retries"]}
        assert seen["attempts_per_answer"] > 1
        while not re.search(r"agent/weather +1 healthy, 1 ejected +closed", (await stage.gateway.site.plano("status")).out):
            await stage.ask(2)  # the ejection was over before the status asked

        await stage.two.up()
        await stage.weather(lambda upstream: states(upstream) == ["healthy", "healthy"])
        stage.two.script(200)
        await stage.ask(4)
        assert stage.two.received


async def test_failovers_between_models_by_reason(stage: Stage) -> None:
    async with asyncio.timeout(60):
        stage.first.script(503)
        stage.second.script(Answer(body=json.dumps(COMPLETION).encode()))
        for _ in range(3):
            answer = await stage.gateway.post("models", RAIN | {"model": FIRST})
            assert answer.headers["x-plano-model"] == SECOND
        status = await stage.gateway.site.status()
        assert status["failovers"] == [{"from_model": FIRST, "to_model": SECOND, "reason": "upstream_error", "count": 3}]
        chain = next(upstream for upstream in status["upstreams"] if upstream["name"] == CHAIN)
        assert (chain["answers"], chain["failed"], chain["retries"], chain["retries_that_helped"]) == (3, 0, 3, 3)
        assert (chain["retries_by_reason"], chain["attempts_per_answer"]) == ({"503": 3}, 2.0)


@contextmanager
def paused(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


async def test_an_envoy_that_does_not_answer(stage: Stage) -> None:
    async with asyncio.timeout(60):
        with paused(stage.gateway.process("envoy")["pid"]):
            shown = await stage.gateway.site.plano("status")
        assert shown.code == 1
        assert "upstreams are not known: Envoy does not answer" in shown.out
        assert (await stage.gateway.site.status())["upstreams"]
