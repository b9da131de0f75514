"""A gateway with an orchestration model: it is asked as documented, it decides, and without it the next rung does."""

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.stage import FLIGHT, USUAL, WEATHER
from tests.e2e.test_agents import shape_of
from tests.kit.actor import Actor, acting, cut, silence
from tests.kit.plano_up import CHAT, MESSAGES, RESPONSES, Running, plano_up
from tests.kit.stub_upstream import Answer, Behave

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-orchestrator")]

KEY = "sk-secret-orchestrator"
RAIN = {"messages": [{"role": "user", "content": "Will it rain in Seattle?"}]}
CURRENCY = {"id": "currency", "description": "Converts money.", "default": True}


@dataclass(slots=True)
class Stage:
    gateway: Running
    weather: Actor
    flight: Actor
    model: Actor


def says(content: Any) -> Answer:
    """Let the orchestration model say something."""
    message = {"role": "assistant", "content": content}
    return Answer(body=json.dumps({"choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}).encode())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        weather, flight = await enter(acting(USUAL["weather"])), await enter(acting(USUAL["flight"]))
        model = await enter(acting(says('{"route": ["flight"]}')))
        agents = {"weather": weather, "flight": flight, "currency": weather}
        config = {
            "agents": [{"id": name, "url": actor.url} for name, actor in agents.items()],
            "model_providers": [{"model": "openai/orchestrator", "base_url": f"{model.url}/own/v1", "access_key": "$KEY"}],
            "listeners": [
                {"type": "agent", "name": "travel", "agents": [WEATHER, FLIGHT]},
                {"type": "agent", "name": "bank", "agents": [WEATHER, FLIGHT, CURRENCY]},
                {"type": "agent", "name": "solo", "agents": [WEATHER]},
                {"type": "model", "name": "models"},
            ],
            "overrides": {
                "agent_embedding_model": "none",
                "agent_orchestration_model": "openai/orchestrator",
                "orchestration_timeout": "500ms",
                "internal_cidrs": ["192.0.2.0/24"],  # trusts nobody who is here
            },
        }
        gateway = await enter(plano_up(config, tmp_path_factory.mktemp("orchestrator"), env={"KEY": KEY}))
        yield Stage(gateway, weather, flight, model)


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    for actor in (_stage.weather, _stage.flight, _stage.model):
        actor.reset()
    return _stage


async def test_the_model_decides_against_the_words(stage: Stage) -> None:
    answer = await stage.gateway.post("travel", RAIN)
    assert answer.json() == {"from": "flight"}
    assert (answer.headers["x-plano-agent"], answer.headers["x-plano-decision"]) == (
        "flight",
        "orchestrator; the only one named",
    )


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_the_model_is_asked_as_documented(stage: Stage, path: str) -> None:
    turns = [{"role": role, "content": f"{role} says é"} for role in ("user", "assistant", "user")]
    field = "input" if path == RESPONSES else "messages"
    headers = {"authorization": "Bearer client", "x_request_id": "r-1", "cookie": "client=1"}
    await stage.gateway.post("travel", {field: turns, "stream": True}, path, **headers)
    seen = stage.model.last
    assert (seen.path, seen.headers["authorization"], seen.headers["x-request-id"]) == (f"/own{CHAT}", f"Bearer {KEY}", "r-1")
    assert "traceparent" in seen.headers
    assert "client" not in str(seen.headers.values())
    asked = stage.model.last_json
    assert (asked["model"], asked.get("stream", False), len(asked["messages"])) == ("orchestrator", False, 1)
    prompt = asked["messages"][0]["content"]
    assert [json.loads(line) for line in inside(prompt, "routes").splitlines()] == [
        {
            "name": agent["id"],
            "description": agent["description"],
            "parameters": {"type": "object", "properties": {}, "required": []},
        }
        for agent in (WEATHER, FLIGHT)
    ]
    assert json.loads(inside(prompt, "conversation")) == turns
    assert '{"route": ["route_name_1", "route_name_2"' in prompt


def inside(prompt: str, tag: str) -> str:
    found = re.search(rf"<{tag}>\n(.*)\n</{tag}>", prompt, re.DOTALL)
    assert found
    return found[1]


@pytest.mark.parametrize(
    "content",
    [
        '```json\n{"route": ["flight"]}\n```',
        "{'route': ['flight']}",
        'I would say {"route": ["flight", "flight", "nobody"]}, because of that.',
        '{"route": "flight"}',
    ],
)
async def test_replies_are_read_tolerantly(stage: Stage, content: str) -> None:
    stage.model.plays(says(content))
    assert (await stage.gateway.post("travel", RAIN)).headers["x-plano-agent"] == "flight"


async def test_one_agent_is_not_worth_a_question(stage: Stage) -> None:
    answer = await stage.gateway.post("solo", RAIN)
    assert answer.headers["x-plano-decision"] == "only_agent"
    assert stage.model.received == []


@pytest.mark.parametrize(
    ("listener", "rung", "agent"), [("travel", "first_agent", "weather"), ("bank", "default_agent", "currency")]
)
async def test_a_model_that_finds_nothing_is_not_overruled(stage: Stage, listener: str, rung: str, agent: str) -> None:
    stage.model.plays(says('{"route": []}'))
    answer = await stage.gateway.post(listener, RAIN)
    assert answer.headers["x-plano-agent"] == agent
    assert answer.headers["x-plano-decision"] == f"{rung}; orchestrator found nothing that fits"


FAILURES = [
    (silence, "orchestrator timed out"),
    (cut, "orchestrator was unreachable"),
    (Answer(500), "orchestrator answered 500"),
    (Answer(401), "orchestrator answered 401"),
    (says("Sunny weather or a flight, who knows?"), "orchestrator's reply was unreadable"),
    (Answer(body=b"<html>"), "orchestrator's reply was unreadable"),
    (Answer(body=b"[]"), "orchestrator's reply was unreadable"),
]


@pytest.mark.parametrize(("plays", "reason"), FAILURES, ids=["slow", "cut", "500", "401", "prose", "html", "list"])
async def test_without_the_model_the_built_in_router_decides(stage: Stage, plays: Answer | Behave, reason: str) -> None:
    stage.model.plays(plays)
    started = time.perf_counter()
    answer = await stage.gateway.post("bank", RAIN)
    assert time.perf_counter() - started < 5, "bounded by orchestration_timeout, 500 ms, and a busy machine"
    assert (answer.status_code, answer.headers["x-plano-agent"]) == (200, "weather")
    assert answer.headers["x-plano-decision"].startswith(f'built_in_router; {reason}; matched "')


async def test_without_the_model_and_a_match_the_default_agent_answers(stage: Stage) -> None:
    stage.model.plays(Answer(500))
    answer = await stage.gateway.post("bank", {"messages": [{"role": "user", "content": "Sing me a song."}]})
    assert answer.headers["x-plano-decision"] == "default_agent; orchestrator answered 500; nothing matched"


async def test_a_slow_model_holds_nobody_else_up(stage: Stage) -> None:
    stage.model.plays(silence)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        slow = [tasks.create_task(stage.gateway.post("travel", RAIN)) for _ in range(50)]
        quick = await stage.gateway.post("solo", RAIN)
        assert quick.status_code == 200
        assert not any(task.done() for task in slow)
    assert {task.result().status_code for task in slow} == {200}


@pytest.mark.parametrize("headers", [{"x_envoy_max_retries": "0"}, {"x_envoy_max_retries": "9"}, {}])
async def test_strangers_do_not_say_how_often_to_try(stage: Stage, headers: dict[str, str]) -> None:
    stage.model.plays(Answer(500))
    await stage.gateway.post("models", RAIN | {"model": "orchestrator"}, **headers)
    assert len(stage.model.received) == 3
    assert not [name for name in stage.model.last.headers if name.startswith("x-envoy-")]


async def test_strangers_do_not_say_how_long_to_wait(stage: Stage) -> None:
    headers = {"x_envoy_upstream_rq_timeout_ms": "1", "x_envoy_upstream_rq_per_try_timeout_ms": "1"}
    stage.weather.plays(Answer(body=b"{}"))
    assert (await stage.gateway.post("solo", RAIN, **headers)).status_code == 200


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_without_a_default_a_missing_model_is_a_clear_400(stage: Stage, path: str) -> None:
    answer = await stage.gateway.post("models", RAIN, path)
    assert (answer.status_code, shape_of(answer.json())) == (400, "anthropic" if path == MESSAGES else "openai")
    assert "no default model is configured" in answer.json()["error"]["message"]
