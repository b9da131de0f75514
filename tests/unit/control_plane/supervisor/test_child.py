"""A child is started, restarted with growing delays, and stopped within its grace, with everything that it spawned."""

import asyncio
import os
import signal
import stat
from pathlib import Path

import pytest

from control_plane.supervisor.child import Backoff, ChildSpec, describe_exit
from control_plane.supervisor.instance import ProcessState
from tests.unit.control_plane.supervisor.processes import WAITS, Watched, doorbell, hung_up, python


async def test_runs_until_stopped(tmp_path: Path) -> None:
    async with asyncio.timeout(10), doorbell() as bell, asyncio.TaskGroup() as tasks:
        watched = Watched(python(bell.ring + WAITS, log=tmp_path / "log"))
        running = tasks.create_task(watched.child.run())
        line = await bell.rung()
        assert watched.child.view.state is ProcessState.RUNNING
        await watched.child.stop()
        await hung_up(line)
        await running
    view = watched.child.view
    assert (view.state, view.pid, view.restarts, view.last_exit) == (ProcessState.STOPPED, None, 0, "killed by SIGTERM")
    assert watched.deaths.empty()


async def test_leads_a_process_group_of_its_own(tmp_path: Path) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        watched = Watched(python(WAITS, log=tmp_path / "log"))
        tasks.create_task(watched.child.run())
        pid = await watched.starts.get()
        assert pid is not None
        assert os.getpgid(pid) == pid
        await watched.child.stop()


async def test_a_child_that_dies_is_started_again(tmp_path: Path) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        watched = Watched(python("import sys; print('lost my keys'); sys.exit(3)", log=tmp_path / "log"))
        tasks.create_task(watched.child.run())
        deaths = [await watched.deaths.get() for _ in range(3)]
        await watched.child.stop()
    assert [(death.how, death.deaths) for death in deaths] == [("exit code 3", 1), ("exit code 3", 2), ("exit code 3", 3)]
    assert watched.child.view.restarts >= 2
    assert watched.child.last_log_lines() == ["lost my keys"]  # of the latest start alone


async def test_a_killed_child_is_started_again(tmp_path: Path) -> None:
    async with asyncio.timeout(10), doorbell() as bell, asyncio.TaskGroup() as tasks:
        watched = Watched(python(bell.ring + WAITS, log=tmp_path / "log"))
        tasks.create_task(watched.child.run())
        await bell.rung()
        first = await watched.starts.get()
        assert first is not None
        os.kill(first, signal.SIGKILL)
        await bell.rung()
        assert (await watched.deaths.get()).how == "killed by SIGKILL"
        assert await watched.starts.get() != first
        assert watched.child.view.restarts == 1
        await watched.child.stop()


async def test_what_a_dead_child_spawned_is_killed_before_its_next_start(tmp_path: Path) -> None:
    async with asyncio.timeout(10), doorbell() as bell, asyncio.TaskGroup() as tasks:
        spawns = f"import os\nif os.fork() == 0:\n  {bell.ring}  {WAITS}\nos.wait()"
        watched = Watched(python(spawns, log=tmp_path / "log"))
        tasks.create_task(watched.child.run())
        grandchild = await bell.rung()
        leader = await watched.starts.get()
        assert leader is not None
        os.kill(leader, signal.SIGKILL)
        await hung_up(grandchild)
        await watched.child.stop()


async def test_a_child_that_ignores_sigterm_is_killed_after_its_grace(tmp_path: Path) -> None:
    ignores = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    async with asyncio.timeout(10), doorbell() as bell, asyncio.TaskGroup() as tasks:
        watched = Watched(python(ignores + bell.ring + "while True: signal.pause()", log=tmp_path / "log", grace_seconds=0.05))
        tasks.create_task(watched.child.run())
        line = await bell.rung()
        await watched.child.stop()
        await hung_up(line)
    assert watched.child.view.last_exit == "killed by SIGKILL"


async def test_stop_ends_the_wait_for_a_restart(tmp_path: Path) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        slow = Backoff(first_seconds=3600, cap_seconds=3600)
        watched = Watched(python("raise SystemExit(1)", log=tmp_path / "log"), slow)
        tasks.create_task(watched.child.run())
        while (await watched.deaths.get()).delay_seconds == 0:
            pass  # the first restart is at once
        assert watched.child.view.state == "restarting"
        await watched.child.stop()
    assert watched.child.view.state is ProcessState.STOPPED


async def test_stop_during_the_start_is_not_lost(tmp_path: Path) -> None:
    async with asyncio.timeout(4), asyncio.TaskGroup() as tasks:
        watched = Watched(python(WAITS, log=tmp_path / "log"))
        tasks.create_task(watched.child.run())
        tasks.create_task(watched.child.stop())  # runs while the process is being spawned
    assert watched.child.view.state is ProcessState.STOPPED


async def test_a_program_that_is_not_there_counts_as_a_death(tmp_path: Path) -> None:
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        watched = Watched(ChildSpec(name="envoy", argv=("/nowhere/envoy",), log=tmp_path / "log"))
        tasks.create_task(watched.child.run())
        death = await watched.deaths.get()
        await watched.child.stop()
    assert "cannot be started" in death.how
    assert "/nowhere/envoy" in death.how


async def test_logs_are_closed_to_others_and_grow(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("earlier\n")
    log.unlink()
    async with asyncio.timeout(10), asyncio.TaskGroup() as tasks:
        watched = Watched(python("import sys; print('out'); print('err', file=sys.stderr)", log=log))
        tasks.create_task(watched.child.run())
        await watched.deaths.get()
        await watched.deaths.get()
        await watched.child.stop()
    assert log.read_text().splitlines()[:2] in (["out", "err"], ["err", "out"])
    assert len(log.read_text().splitlines()) >= 4
    assert stat.S_IMODE(log.stat().st_mode) == 0o600


@pytest.mark.parametrize(("deaths", "delay"), [(1, 0.0), (2, 0.25), (3, 0.5), (6, 4.0), (7, 5.0), (5000, 5.0)])
def test_the_first_restart_is_at_once_and_delays_double_up_to_a_cap(deaths: int, delay: float) -> None:
    assert Backoff().delay(deaths) == delay


@pytest.mark.parametrize(("code", "words"), [(0, "exit code 0"), (2, "exit code 2"), (-15, "killed by SIGTERM")])
def test_an_exit_in_words(code: int, words: str) -> None:
    assert describe_exit(code) == words
