"""What a killed instance leaves behind is gone for good before its ports are asked for."""

import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest

from control_plane.supervisor.instance import Instance, Phase, ProcessState, ProcessView, write_instance
from control_plane.supervisor.leftovers import clear_leftovers
from control_plane.supervisor.processes import is_running, start_mark

# So much memory that the kernel needs a while to take it back.
ORPHAN = "import signal, sys; held = bytearray(300_000_000); print('ready', flush=True); signal.pause()"

EXIT = {"x86_64": 60, "aarch64": 93}
"""The system call that ends one thread."""
THREADS = """
import ctypes, signal, threading
threading.Thread(target=signal.pause).start()
print("ready", flush=True)
ctypes.CDLL(None).syscall({exit}, 0)
"""
"""Its first thread ends at once, its second one when it is killed."""


def test_orphans_have_ended(tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", ORPHAN, str(tmp_path)], process_group=0, stdout=subprocess.PIPE, text=True
    ) as orphan:
        assert orphan.stdout
        assert orphan.stdout.readline() == "ready\n"
        view = recorded(orphan.pid, start_mark(orphan.pid))
        write_instance(tmp_path / "plano.json", instance(tmp_path, view))
        assert clear_leftovers(tmp_path) == (view,)
        assert orphan.poll() is not None
    assert not (tmp_path / "plano.json").exists()


@pytest.mark.skipif(platform.machine() not in EXIT, reason="the number of the system call is not known")
def test_a_process_runs_as_long_as_one_of_its_threads_does() -> None:
    code = THREADS.format(exit=EXIT[platform.machine()])
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        mark = start_mark(process.pid)
        while "State:\tZ" not in Path(f"/proc/{process.pid}/status").read_text():
            os.sched_yield()
        is_seen = is_running(process.pid, mark)
        process.kill()
        process.wait()
    assert is_seen
    assert not is_running(process.pid, mark)


def test_a_pid_that_another_program_has_by_now_is_left_alone(tmp_path: Path) -> None:
    write_instance(tmp_path / "plano.json", instance(tmp_path, recorded(os.getpid(), "a boot 1")))
    assert clear_leftovers(tmp_path) == ()
    assert not (tmp_path / "plano.json").exists()


def recorded(pid: int, mark: str) -> ProcessView:
    return ProcessView(
        name="envoy", state=ProcessState.RUNNING, pid=pid, start_mark=mark, started_at=1.0, restarts=0, last_exit=None
    )


def instance(folder: Path, *processes: ProcessView) -> Instance:
    return Instance(
        pid=1,
        start_mark="",
        phase=Phase.HEALTHY,
        started_at=1.0,
        config_file="plano_config.yaml",
        sockets=str(folder),
        admin_socket="/run/plano/admin.sock",
        stats_url="http://127.0.0.1:9901/stats/prometheus",
        metrics_url="http://127.0.0.1:9092/metrics",
        listeners=(),
        processes=processes,
    )
