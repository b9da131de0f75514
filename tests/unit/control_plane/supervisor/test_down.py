"""`plano down` against real holders of a run dir: obedient, stubborn, and long dead ones with orphans."""

import asyncio
import sys
from pathlib import Path

import pytest

from control_plane.supervisor import down
from control_plane.supervisor.down import WillNotStop, stop_gateway
from control_plane.supervisor.instance import Instance, Phase, ProcessState, ProcessView, write_instance
from control_plane.supervisor.lock import is_locked
from control_plane.supervisor.processes import start_mark
from tests.unit.control_plane.supervisor.processes import WAITS, Doorbell, doorbell, hung_up

HOLDS = """
import pathlib, signal, sys
from control_plane.supervisor.lock import locked
{before}
with locked(pathlib.Path(sys.argv[1])):
{ring}
    while True: signal.pause()
"""


async def holder(run_dir: Path, bell: Doorbell, before: str = "") -> asyncio.subprocess.Process:
    """Start a process that holds the run dir as a supervisor does, and record it."""
    code = HOLDS.format(before=before, ring="".join(f"    {line}\n" for line in bell.ring.splitlines()))
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", code, str(run_dir / "plano.lock"))
    await bell.rung()
    record(run_dir, process.pid)
    return process


def record(run_dir: Path, pid: int, *, child_pid: int | None = None, earlier: bool = False) -> None:
    """Write what a supervisor would; `earlier`: processes that had these pids before those that have them now."""
    mark = "a boot 1" if earlier else start_mark(child_pid or 0)
    child = ProcessView(
        name="envoy", state=ProcessState.RUNNING, pid=child_pid, start_mark=mark, started_at=1.0, restarts=0, last_exit=None
    )
    instance = Instance(
        pid=pid,
        start_mark="a boot 1" if earlier else start_mark(pid),
        phase=Phase.HEALTHY,
        started_at=1.0,
        config_file="plano_config.yaml",
        sockets=str(run_dir),
        admin_socket="/run/plano/admin.sock",
        stats_url="http://127.0.0.1:9901/stats/prometheus",
        metrics_url="http://127.0.0.1:9092/metrics",
        listeners=(),
        processes=(child,) if child_pid else (),
    )
    write_instance(run_dir / "plano.json", instance)


def stop(run_dir: Path, said: list[str], timeout_seconds: float = 8.0) -> bool:
    return stop_gateway(run_dir, tell=said.append, timeout_seconds=timeout_seconds)


async def test_an_obedient_one_is_asked(tmp_path: Path) -> None:
    said: list[str] = []
    async with asyncio.timeout(15), doorbell() as bell:
        process = await holder(tmp_path, bell)
        assert await asyncio.to_thread(stop, tmp_path, said)
        assert await process.wait() == -15
    assert said == [f"Stopping pid {process.pid}: requests in flight may finish ..."]


async def test_a_stubborn_one_is_killed(tmp_path: Path) -> None:
    said: list[str] = []
    async with asyncio.timeout(15), doorbell() as bell:
        process = await holder(tmp_path, bell, "signal.signal(signal.SIGTERM, signal.SIG_IGN)")
        assert await asyncio.to_thread(stop, tmp_path, said, 0.0)
        assert await process.wait() == -9
    assert said[-1] == f"pid {process.pid} did not stop within 0 s; killing it"
    assert not (tmp_path / "plano.json").exists()


def test_nothing_runs(tmp_path: Path) -> None:
    said: list[str] = []
    assert not stop(tmp_path, said)
    assert said == []
    assert list(tmp_path.iterdir()) == []


async def test_one_that_does_not_say_who_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(down, "INTRODUCTION_TIMEOUT_SECONDS", 0.0)
    async with asyncio.timeout(15), doorbell() as bell:
        process = await holder(tmp_path, bell)
        (tmp_path / "plano.json").unlink()
        with pytest.raises(WillNotStop, match="does not say who it is"):
            await asyncio.to_thread(stop, tmp_path, [])
        process.kill()
        await process.wait()


async def test_orphans_of_a_killed_supervisor_are_killed(tmp_path: Path) -> None:
    async with asyncio.timeout(15), doorbell() as bell:
        orphan = await asyncio.create_subprocess_exec(sys.executable, "-c", bell.ring + WAITS, str(tmp_path), process_group=0)
        line = await bell.rung()
        record(tmp_path, pid=2**22 - 1, child_pid=orphan.pid)
        (tmp_path / "plano.lock").touch()
        (tmp_path / "xds.sock").touch()
        said: list[str] = []
        assert await asyncio.to_thread(stop, tmp_path, said)
        assert said == ["Its supervisor was dead; ended envoy."]
        await hung_up(line)
        await orphan.wait()
    assert not (tmp_path / "xds.sock").exists()
    assert not (tmp_path / "plano.json").exists()
    assert not is_locked(tmp_path / "plano.lock")


async def test_a_strangers_process_with_a_recorded_pid_is_left_alone(tmp_path: Path) -> None:
    async with asyncio.timeout(15), doorbell() as bell:
        # It even names the run dir, as a reader of its logs does.
        command = (sys.executable, "-c", bell.ring + WAITS, str(tmp_path))
        stranger = await asyncio.create_subprocess_exec(*command, process_group=0)
        await bell.rung()
        record(tmp_path, pid=stranger.pid, child_pid=stranger.pid, earlier=True)
        (tmp_path / "plano.lock").touch()
        assert not await asyncio.to_thread(stop, tmp_path, [])
        assert stranger.returncode is None
        stranger.terminate()
        assert await stranger.wait() == -15


async def test_a_new_holder_that_has_not_said_who_it_is_is_not_mistaken_for_an_earlier_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(down, "INTRODUCTION_TIMEOUT_SECONDS", 0.0)
    async with asyncio.timeout(15), doorbell() as bell:
        process = await holder(tmp_path, bell)
        stranger = await asyncio.create_subprocess_exec(sys.executable, "-c", bell.ring + WAITS)
        await bell.rung()
        record(tmp_path, pid=stranger.pid, earlier=True)
        with pytest.raises(WillNotStop, match="does not say who it is"):
            await asyncio.to_thread(stop, tmp_path, [])
        assert (process.returncode, stranger.returncode) == (None, None)
        for left in (process, stranger):
            left.kill()
            await left.wait()
