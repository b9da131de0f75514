"""Configurations that change under load: good ones are served soon, bad ones change nothing, and no request fails."""

import asyncio
import copy
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio

from tests.e2e.load import hammering, until
from tests.e2e.stage import FLIGHT, USUAL, WEATHER
from tests.kit.actor import Actor, Stream, acting
from tests.kit.envoy import free_port
from tests.kit.plano_up import CHAT, Config, Running, plano_up

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-change"), pytest.mark.timeout(240)]

RAIN = {"model": "fast", "messages": [{"role": "user", "content": "Will it rain in Seattle?"}]}


@dataclass(slots=True)
class Stage:
    gateway: Running
    weather: Actor
    flight: Actor
    served: int = 0

    @property
    def urls(self) -> list[str]:
        return [self.gateway.url("travel"), self.gateway.url("models")]

    @property
    def config(self) -> Config:
        """A copy of the configuration at the beginning."""
        return copy.deepcopy(self.gateway.config)

    def state(self) -> dict[str, Any]:
        return self.gateway.state()

    async def serve(self, config: Config) -> None:
        """Write a configuration, with an alias by which it is known, and wait until it is served."""
        self.served += 1
        alias = f"served-{self.served}"
        self.gateway.write(config | {"model_aliases": config["model_aliases"] | {alias: {"target": "gpt-4o"}}})
        await until(lambda: self.state()["state"] == "ok" and alias in str(self.state()["listeners"]))

    async def refuse(self, config: Config | str, state: str) -> None:
        """Write a configuration and wait until it is reported."""
        before = self.state()["loaded_at"]
        self.gateway.write(config)
        await until(lambda: self.state()["loaded_at"] != before and self.state()["state"] == state)

    async def metric(self, line: str) -> float:
        """Read one of the control plane's metrics."""
        text = (await self.gateway.http.get(f"{self.gateway.override_url('control_plane_metrics_port')}/metrics")).text
        return next((float(found.rpartition(" ")[2]) for found in text.splitlines() if found.startswith(f"{line} ")), 0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        weather, flight = await enter(acting(USUAL["weather"])), await enter(acting(USUAL["flight"]))
        config = {
            "agents": [{"id": "weather", "url": weather.url}, {"id": "flight", "url": flight.url}],
            "model_providers": [{"model": "openai/gpt-4o", "base_url": weather.url, "access_key": "$KEY"}],
            "model_aliases": {"fast": {"target": "gpt-4o"}},
            "listeners": [
                {"type": "agent", "name": "travel", "agents": [WEATHER, FLIGHT]},
                {"type": "agent", "name": "solo", "agents": [WEATHER]},
                {"type": "model", "name": "models"},
            ],
        }
        folder = tmp_path_factory.mktemp("change")
        gateway = await enter(plano_up(config, folder, workers=2, env={"KEY": "sk-secret-change"}))
        yield Stage(gateway, weather, flight)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(_stage: Stage) -> AsyncIterator[Stage]:
    """The gateway, with the configuration that it began with."""
    for actor in (_stage.weather, _stage.flight):
        actor.reset()
    yield _stage
    await _stage.serve(_stage.config)


def edits(config: Config) -> list[Config]:
    """Make one configuration of each kind of change."""
    changed = [copy.deepcopy(config) for _ in range(6)]
    changed[0]["listeners"][0]["agents"][0]["description"] = "Tells rain and wind."
    changed[1]["agents"][0]["id"] = "renamed"
    changed[1]["listeners"][0]["agents"][0]["id"] = changed[1]["listeners"][1]["agents"][0]["id"] = "renamed"
    changed[2]["listeners"][0]["timeout"] = "7s"
    changed[3]["listeners"][0]["agents"].reverse()
    changed[4]["model_aliases"] |= {"other": {"target": "fast"}}
    changed[5]["overrides"]["upstream_connect_timeout"] = "2s"
    return changed


async def test_every_kind_of_change_costs_no_request(stage: Stage) -> None:
    async with asyncio.timeout(150), hammering(stage.urls, RAIN) as load:
        for config in edits(stage.config):
            await stage.serve(config)
            await load.goes_on(20)
        await stage.serve(stage.config)
        await load.goes_on(20)
    assert load.bad == []


async def test_a_file_edited_in_haste_costs_no_request(stage: Stage) -> None:
    versions = edits(stage.config)
    async with asyncio.timeout(100), hammering(stage.urls, RAIN) as load:
        for number in range(30):
            stage.gateway.write(versions[number % len(versions)])
            await load.goes_on(50)
        await stage.serve(stage.config)
        await load.goes_on(20)
    assert load.bad == []


async def test_a_new_agent_is_served_within_a_second(stage: Stage) -> None:
    url, seconds = f"{stage.gateway.url('solo')}{CHAT}", []
    async with asyncio.timeout(100):
        for number in range(5):
            config = stage.config
            config["agents"].append({"id": f"new{number}", "url": stage.flight.url})
            config["listeners"][1]["agents"] = [{"id": f"new{number}", "description": "Is new."}]
            stage.gateway.write(config)
            started = time.perf_counter()
            while (await stage.gateway.http.post(url, json=RAIN)).headers["x-plano-agent"] != f"new{number}":
                pass
            seconds.append(time.perf_counter() - started)
    assert min(seconds) < 1, f"each took {seconds}"


async def test_listeners_come_and_go_under_load(stage: Stage) -> None:
    config = stage.config
    config["listeners"].append(
        {"type": "agent", "name": "second", "address": "127.0.0.1", "port": free_port(), "agents": [FLIGHT, WEATHER]}
    )
    url = f"http://127.0.0.1:{config['listeners'][-1]['port']}{CHAT}"
    async with asyncio.timeout(100), hammering(stage.urls, RAIN) as load:
        await stage.serve(config)
        assert (await stage.gateway.http.post(url, json=RAIN)).headers["x-plano-agent"] == "weather"
        await stage.serve(stage.config)
        await load.goes_on(20)
    assert load.bad == []
    assert "second" not in {listener["name"] for listener in (await stage.gateway.site.status())["listeners"]}


@pytest.mark.parametrize("change", ["description", "gone"])
async def test_a_stream_outlasts_a_change(stage: Stage, change: str) -> None:
    stream = Stream()
    stage.flight.plays(stream)
    question = {"messages": [{"role": "user", "content": "Which flights depart to Istanbul?"}], "stream": True}
    config = stage.config
    if change == "gone":
        config["agents"].pop()
        config["listeners"][0]["agents"].pop()
    else:
        config["listeners"][0]["agents"][1]["description"] = "Finds flights only."
    url = f"{stage.gateway.url('travel')}{CHAT}"
    async with asyncio.timeout(60), stage.gateway.http.stream("POST", url, json=question) as answer:
        chunks = answer.aiter_raw()
        stream.send("before")
        assert await anext(chunks) == b"data: before\n\n"
        await stage.serve(config)
        for word in ("after", "long after"):
            stream.send(word)
            assert await anext(chunks) == f"data: {word}\n\n".encode()
        stream.send("")
        assert [chunk async for chunk in chunks] == []


async def test_an_invalid_configuration_changes_nothing(stage: Stage) -> None:
    config = stage.config
    config["listeners"][0]["agents"][0] = WEATHER | {"id": "nobody"}
    served, counted = stage.state()["version"], await stage.metric('plano_config_reloads_total{outcome="invalid"}')
    async with asyncio.timeout(100), hammering(stage.urls, RAIN) as load:
        await stage.refuse(config, "invalid")
        status = await stage.gateway.site.status()
        await load.goes_on()
        assert (status["config"]["version"], status["healthy"]) == (served, True)
        assert [problem["path"] for problem in status["config"]["problems"]] == ["listeners[0].agents[0].id"]
        assert await stage.metric('plano_config_reloads_total{outcome="invalid"}') == counted + 1
        assert await stage.metric("plano_config_valid") == 0
        for text in ("", "{", "version: [", "\x00"):
            await stage.refuse(text, "invalid")
            assert stage.state()["version"] == served
        await stage.serve(stage.config)
        await load.goes_on()
    assert load.bad == []
    assert await stage.metric("plano_config_valid") == 1
    assert "unknown-agent" in str(status) or "nobody" in str(status)


async def test_what_envoy_rejects_changes_nothing(stage: Stage) -> None:
    config = stage.config
    config["agents"].append({"id": "secure", "url": "https://secure.example"})
    config["listeners"][0]["agents"].append({"id": "secure", "description": "Has no certificates."})
    config["overrides"]["upstream_tls_ca_path"] = "/nowhere/ca.crt"
    served, counted = stage.state()["version"], await stage.metric('plano_config_reloads_total{outcome="rejected"}')
    async with asyncio.timeout(100), hammering(stage.urls, RAIN) as load:
        await stage.refuse(config, "rejected")
        status = await stage.gateway.site.status()
        await load.goes_on()
        assert (status["config"]["version"], status["healthy"]) == (served, True)
        assert status["config"]["tried_version"] != served
        (problem,) = status["config"]["problems"]
        assert problem["code"] == "refused-by-envoy"
        assert "/nowhere/ca.crt" in problem["message"]
        assert await stage.metric('plano_config_reloads_total{outcome="rejected"}') == counted + 1
        assert await stage.metric('plano_snapshot_nacks_total{type="cds"}') >= 1
        assert "config_rejected" in dict(stage.gateway.logs())["control_plane.log"]

        config["agents"][-1]["url"] = stage.flight.url
        await stage.serve(config)
        assert stage.state()["version"] != served
        await load.goes_on()
    assert load.bad == []
