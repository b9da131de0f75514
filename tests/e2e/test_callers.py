"""Listeners that ask for keys: Envoy lets callers in by theirs, and nobody else learns the keys."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic, AuthenticationError
from openai import AsyncOpenAI, PermissionDeniedError

from tests.e2e.stage import FLIGHT, USUAL, WEATHER
from tests.kit.actor import STREAM_HEAD, Actor, acting
from tests.kit.completions import COMPLETED
from tests.kit.plano_up import CHAT, MESSAGES, RESPONSES, Running, plano_up
from tests.kit.stub_upstream import Answer, Received, Written

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-callers")]

RAIN: dict[str, Any] = {"messages": [{"role": "user", "content": "Will it rain in Seattle?"}], "max_tokens": 9}
KEYS = {"TEAM_KEY": "sk-team-1f2e3d", "OLD_KEY": "sk-team-old-9c8b", "GUEST_KEY": "sk-guest-7a6b5c", "KEY": "sk-provider"}
TEAM, OLD, GUEST = KEYS["TEAM_KEY"], KEYS["OLD_KEY"], KEYS["GUEST_KEY"]


@dataclass(slots=True)
class Stage:
    gateway: Running
    weather: Actor
    flight: Actor
    provider: Actor


def configuration(stage: dict[str, Actor], **guest: Any) -> dict[str, Any]:
    return {
        "agents": [{"id": name, "url": stage[name].url} for name in ("weather", "flight")],
        "model_providers": [
            {"model": "openai/gpt-4o", "base_url": f"{stage['provider'].url}/v1", "access_key": "$KEY", "default": True},
            {
                "model": "openai/gpt-5",
                "base_url": f"{stage['provider'].url}/v1",
                "access_key": "$KEY",
                "fallbacks": ["openai/gpt-4o"],
            },
        ],
        "model_aliases": {"cheap": {"target": "gpt-4o"}},
        "callers": [
            {"name": "team", "keys": ["$TEAM_KEY", "$OLD_KEY"]},
            {"name": "guest", "keys": ["$GUEST_KEY"], "models": ["cheap"], "agents": ["flight"], **guest},
        ],
        "listeners": [
            {"type": "agent", "name": "travel", "agents": [WEATHER, FLIGHT], "auth": {}},
            {"type": "model", "name": "models", "auth": {}},
        ],
    }


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        actors = {name: await stack.enter_async_context(acting(USUAL[name])) for name in ("weather", "flight")}
        actors["provider"] = await stack.enter_async_context(acting(COMPLETED))
        gateway = await stack.enter_async_context(plano_up(configuration(actors), tmp_path_factory.mktemp("callers"), env=KEYS))
        yield Stage(gateway, **actors)


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    for actor in (_stage.weather, _stage.flight, _stage.provider):
        actor.reset()
    return _stage


@pytest.mark.parametrize("key", [TEAM, OLD])
@pytest.mark.parametrize(("header", "scheme"), [("authorization", "Bearer "), ("x_api_key", ""), ("api_key", "")])
async def test_a_key_lets_its_caller_in_and_goes_no_further(stage: Stage, key: str, header: str, scheme: str) -> None:
    answer = await stage.gateway.post("travel", RAIN, **{header: scheme + key})
    assert answer.json() == {"from": "weather"}
    assert stage.weather.last.headers["x-plano-caller"] == "team"
    assert key not in str(stage.weather.last.headers)
    answer = await stage.gateway.post("models", RAIN, **{header: scheme + key})
    assert answer.status_code == 200
    assert stage.provider.last.headers["authorization"] == "Bearer sk-provider"
    assert "x-plano-caller" not in stage.provider.last.headers
    answer = await stage.gateway.post("models", RAIN | {"model": "gpt-5"}, **{header: scheme + key})
    assert answer.status_code == 200
    assert "x-plano-caller" not in stage.provider.last.headers
    assert key not in str(stage.provider.last.headers)


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}, {"x_api_key": ""}, {"x_plano_caller": "team"}])
@pytest.mark.parametrize("listener", ["travel", "models"])
async def test_nobody_else_gets_in(stage: Stage, listener: str, headers: dict[str, str]) -> None:
    answer = await stage.gateway.post(listener, RAIN, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "invalid_api_key")
    answer = await stage.gateway.post(listener, RAIN, MESSAGES, **headers)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "authentication_error")
    assert not stage.weather.received
    assert not stage.provider.received


async def test_health_needs_no_key(stage: Stage) -> None:
    assert (await stage.gateway.http.get(f"{stage.gateway.url('models')}/healthz")).status_code == 200
    assert (await stage.gateway.http.get(f"{stage.gateway.url('models')}/v1/models")).status_code == 401


async def test_official_clients_bring_their_keys_as_ever(stage: Stage) -> None:
    async with AsyncOpenAI(base_url=f"{stage.gateway.url('models')}/v1", api_key=GUEST, max_retries=0) as client:
        assert (await client.chat.completions.create(model="cheap", messages=RAIN["messages"])).choices
        assert [model.id async for model in await client.models.list()] == ["cheap"]
        with pytest.raises(PermissionDeniedError, match="gpt-5"):
            await client.chat.completions.create(model="gpt-5", messages=RAIN["messages"])
    async with AsyncAnthropic(base_url=stage.gateway.url("models"), api_key="wrong", max_retries=0) as other:
        with pytest.raises(AuthenticationError):
            await other.messages.create(model="cheap", **RAIN)


async def test_a_caller_gets_only_the_agents_that_it_may_use(stage: Stage) -> None:
    answer = await stage.gateway.post("travel", RAIN, authorization=f"Bearer {GUEST}")
    assert answer.headers["x-plano-agent"] == "flight"
    answer = await stage.gateway.post("travel", RAIN | {"model": "weather"}, authorization=f"Bearer {GUEST}")
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not_allowed")
    assert not stage.weather.received


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_a_model_that_a_caller_may_not_use_is_named(stage: Stage, path: str) -> None:
    body = {"model": "openai/gpt-5", "input": "Hi"} if path == RESPONSES else RAIN | {"model": "openai/gpt-5"}
    answer = await stage.gateway.post("models", body, path, authorization=f"Bearer {GUEST}")
    assert answer.status_code == 403
    assert "openai/gpt-5" in answer.json()["error"]["message"]
    assert not stage.provider.received


async def test_keys_are_shown_nowhere(stage: Stage) -> None:
    await stage.gateway.post("travel", RAIN, authorization=f"Bearer {TEAM}")
    line = await stage.gateway.logged(lambda entry: entry.get("caller") == "team")
    assert line["listener"].endswith("travel")
    await stage.gateway.post("models", RAIN, authorization=f"Bearer {GUEST}")
    await stage.gateway.logged(lambda entry: entry.get("caller") == "guest" and entry["listener"].endswith("models"))
    for name, text in stage.gateway.logs():
        for key in (TEAM, OLD, GUEST):
            assert key not in text, name


async def test_keys_come_and_go_without_a_cut(stage: Stage) -> None:
    site = stage.gateway.site
    before = site.config.read_text()
    config = {**stage.gateway.config, "callers": [{"name": "team", "keys": ["$TEAM_KEY"]}]}
    site.config.write_text(json.dumps(config))
    try:
        await until_status(stage, OLD, 401)
    finally:
        site.config.write_text(before)
        await until_status(stage, OLD, 200)
        await until_status(stage, GUEST, 200)  # workers know again who that is


async def test_a_key_that_is_revoked_ends_no_answer(stage: Stage) -> None:
    revoked = asyncio.Event()

    async def slow(_request: Received, writer: asyncio.StreamWriter) -> Answer:
        writer.write(STREAM_HEAD + chunk(event({"choices": [{"index": 0, "delta": {"content": "Yes"}}]})))
        await writer.drain()
        await revoked.wait()
        done = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}) + b"data: [DONE]\n\n"
        writer.write(chunk(done) + chunk(b""))
        return Written()

    stage.provider.plays(slow, COMPLETED)
    site = stage.gateway.site
    before = site.config.read_text()
    async with AsyncOpenAI(base_url=f"{stage.gateway.url('models')}/v1", api_key=OLD, max_retries=0) as client:
        stream = await client.chat.completions.create(model="gpt-4o", messages=RAIN["messages"], stream=True)
        assert (await anext(stream)).choices[0].delta.content == "Yes"
        try:
            site.config.write_text(json.dumps({**stage.gateway.config, "callers": [{"name": "team", "keys": ["$TEAM_KEY"]}]}))
            await until_status(stage, OLD, 401)
            revoked.set()
            assert [part.choices[0].finish_reason async for part in stream] == ["stop"]
        finally:
            revoked.set()
            site.config.write_text(before)
            await until_status(stage, GUEST, 200)


async def test_a_caller_is_counted_where_ext_proc_decides(stage: Stage) -> None:
    await stage.gateway.post("travel", RAIN, authorization=f"Bearer {TEAM}")
    metrics = (await stage.gateway.http.get(f"{stage.gateway.override_url('metrics_port')}/metrics")).text
    assert 'plano_caller_requests_total{caller="team",listener="travel",outcome="forwarded"}' in metrics


async def until_status(stage: Stage, key: str, status: int) -> None:
    """Wait for the day that a key is answered like this; another caller is served all the while."""
    async with asyncio.timeout(30):
        while True:
            answer = await stage.gateway.post("models", RAIN | {"model": "cheap"}, authorization=f"Bearer {key}")
            assert (await stage.gateway.post("models", RAIN, authorization=f"Bearer {TEAM}")).status_code == 200
            if answer.status_code == status:
                return


def event(data: dict[str, Any]) -> bytes:
    return (
        b"data: "
        + json.dumps({"id": "a", "object": "chat.completion.chunk", "created": 1, "model": "m", **data}).encode()
        + b"\n\n"
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)
