"""Processes that die under load: only what a dead worker or Envoy had in its hands is lost, and all of them come back."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from tests.e2e.load import hammering, until
from tests.e2e.stage import UNCHANGED, USUAL, WEATHER
from tests.kit.actor import Actor, acting
from tests.kit.plano_up import CHAT, Running, plano_up
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-crash"), pytest.mark.timeout(240)]

WORKERS = 2
RAIN = {"model": "gpt-4o", "messages": [{"role": "user", "content": "Will it rain in Seattle?"}]}


@dataclass(slots=True)
class Gate:
    """A filter that holds requests back until it is opened: they are in the hands of ext_proc until then."""

    waiting: int = 0
    opened: asyncio.Event = field(default_factory=asyncio.Event)

    async def __call__(self, _request: Received, _writer: asyncio.StreamWriter) -> Answer:
        """Hold a request back."""
        self.waiting += 1
        await self.opened.wait()
        return UNCHANGED


@dataclass(slots=True)
class Stage:
    gateway: Running
    weather: Actor
    guard: Actor

    @property
    def urls(self) -> list[str]:
        return [self.gateway.url("solo"), self.gateway.url("models")]

    def started_workers(self) -> int:
        """Count the workers that ever listened."""
        return dict(self.gateway.logs())["ext_proc.log"].count('"worker_listening"')

    async def restarted(self, name: str, restarts: int) -> None:
        """Wait until a process was restarted so often."""
        await until(lambda: self.gateway.process(name)["restarts"] == restarts)

    async def whole(self) -> None:
        """Wait until Envoy counts on every worker, and all follow the control plane."""
        async with asyncio.timeout(60):
            while await self.gateway.stat("cluster.ext_proc.membership_healthy") != WORKERS:
                pass
            while len(self.gateway.state()["clients"]) != 1 + WORKERS or not await self.gateway.is_healthy():
                pass


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        weather, guard = await enter(acting(USUAL["weather"])), await enter(acting(UNCHANGED))
        config = {
            "agents": [{"id": "weather", "url": weather.url}],
            "filters": [{"id": "guard", "type": "http", "url": guard.url}],
            "model_providers": [{"model": "openai/gpt-4o", "base_url": weather.url, "access_key": "$KEY"}],
            "listeners": [
                {"type": "agent", "name": "solo", "agents": [WEATHER]},
                {"type": "agent", "name": "guarded", "agents": [WEATHER | {"input_filters": ["guard"]}]},
                {"type": "model", "name": "models"},
            ],
        }
        folder = tmp_path_factory.mktemp("crash")
        gateway = await enter(plano_up(config, folder, workers=WORKERS, env={"KEY": "sk-secret-crash"}))
        yield Stage(gateway, weather, guard)


@pytest_asyncio.fixture(loop_scope="module")
async def stage(_stage: Stage) -> Stage:
    """The gateway, recovered from the test before."""
    for actor in (_stage.weather, _stage.guard):
        actor.reset()
    await _stage.whole()
    return _stage


async def test_a_killed_control_plane_costs_no_request_and_comes_back(stage: Stage) -> None:
    async with asyncio.timeout(150), hammering(stage.urls, RAIN) as load:
        process = stage.gateway.process("control_plane")
        os.kill(process["pid"], signal.SIGKILL)
        await load.goes_on(200)
        await stage.restarted("control_plane", process["restarts"] + 1)
        await stage.whole()
        status = await stage.gateway.site.status()
        assert status["healthy"]
        assert "killed by SIGKILL" in [process["last_exit"] for process in status["processes"]]
        alias = f"after-{process['restarts']}"
        stage.gateway.write(stage.gateway.config | {"model_aliases": {alias: {"target": "gpt-4o"}}})
        models = f"{stage.gateway.url('models')}/v1/models"
        while alias not in (await stage.gateway.http.get(models)).text:
            pass
        await load.goes_on()
    assert load.bad == []


async def test_a_killed_worker_takes_only_what_it_had_in_its_hands(stage: Stage) -> None:
    gate = Gate()
    stage.guard.plays(gate)
    master = stage.gateway.process("ext_proc")["pid"]
    victim, started = children_of(master)[0], stage.started_workers()
    url = f"{stage.gateway.url('guarded')}{CHAT}"
    async with asyncio.timeout(150), asyncio.TaskGroup() as tasks:
        held = [tasks.create_task(stage.gateway.http.post(url, json=RAIN)) for _ in range(40)]
        await until(lambda: gate.waiting == len(held))
        os.kill(victim, signal.SIGKILL)
        lost = [await task for task in await first_done(held)]
        gate.opened.set()
        rest = [await task for task in held]
    good = [answer for answer in rest if answer.status_code == httpx.codes.OK]
    bad = [answer for answer in rest if answer.status_code != httpx.codes.OK]
    assert {answer.status_code for answer in lost} <= {500, 502, 503}
    assert 0 < len(bad) < len(held), "each worker had some"
    assert len(good) == len(held) - len(bad)
    assert all(answer.json()["error"]["type"] == "server_error" for answer in bad)
    assert len(stage.weather.received) == len(good), "no agent was asked twice"
    await until(lambda: stage.started_workers() == started + 1)


async def first_done(tasks: list["asyncio.Task[httpx.Response]"]) -> set["asyncio.Task[httpx.Response]"]:
    done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    return done


async def test_killed_workers_cost_at_most_what_is_in_flight(stage: Stage) -> None:
    clients, kills = 6, 3
    master = stage.gateway.process("ext_proc")
    async with asyncio.timeout(150), hammering(stage.urls, RAIN, clients=clients) as load:
        for number in range(kills):
            started = stage.started_workers()
            os.kill(children_of(master["pid"])[number % WORKERS], signal.SIGKILL)
            await load.goes_on(100)
            await until(lambda started=started: stage.started_workers() == started + 1)  # type: ignore[misc]
            await stage.whole()
            await load.goes_on(100)
        assert stage.gateway.process("ext_proc")["restarts"] == master["restarts"]
    assert len(load.bad) <= clients * kills, load.bad
    assert all(answer[:3] in {"500", "502", "503"} for answer in load.bad), load.bad
    metrics = (await stage.gateway.http.get(f"{stage.gateway.override_url('metrics_port')}/metrics")).text
    assert f"plano_ext_proc_workers {float(WORKERS)}" in metrics


async def test_health_follows_ext_proc(stage: Stage) -> None:
    assert await stage.gateway.is_healthy()
    master = stage.gateway.process("ext_proc")["pid"]
    stopped = [master, *children_of(master)]
    async with asyncio.timeout(100):
        try:
            for pid in stopped:
                os.kill(pid, signal.SIGSTOP)
            while await stage.gateway.is_healthy():
                pass
            health = await stage.gateway.http.get(f"{stage.gateway.url('models')}/healthz")
            assert health.status_code == 503
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
        await stage.whole()
        assert (await stage.gateway.post("solo", RAIN)).status_code == 200


async def test_a_killed_ext_proc_costs_no_request_and_is_started_again(stage: Stage) -> None:
    process = stage.gateway.process("ext_proc")
    workers, started = children_of(process["pid"]), stage.started_workers()
    async with asyncio.timeout(100), hammering(stage.urls, RAIN) as load:
        os.kill(process["pid"], signal.SIGKILL)
        await stage.restarted("ext_proc", process["restarts"] + 1)
        await until(lambda: stage.started_workers() == started + WORKERS)
        await until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        await stage.whole()
        await load.goes_on(100)
    assert load.bad == []


async def test_a_killed_envoy_is_started_again(stage: Stage) -> None:
    process = stage.gateway.process("envoy")
    os.kill(process["pid"], signal.SIGKILL)
    async with asyncio.timeout(100):
        await stage.restarted("envoy", process["restarts"] + 1)
        while not await stage.gateway.is_healthy():
            pass
        assert stage.gateway.process("envoy")["last_exit"] == "killed by SIGKILL"
        for _ in range(20):
            assert (await stage.gateway.post("solo", RAIN)).status_code == 200
            assert (await stage.gateway.post("models", RAIN)).status_code == 200
