"""A pid is not enough to know a process by."""

import os
import subprocess
import sys

from control_plane.supervisor.processes import is_running, start_mark


def test_a_process_is_known_by_its_pid_and_its_mark() -> None:
    mark = start_mark(os.getpid())
    assert mark
    assert is_running(os.getpid(), mark)
    assert not is_running(os.getpid(), "a boot 1")
    assert not is_running(os.getpid(), "")


def test_one_that_has_ended_does_not_run() -> None:
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE) as process:
        mark = start_mark(process.pid)
        assert is_running(process.pid, mark)
    assert not is_running(process.pid, mark)
    assert start_mark(2**22 - 1) == ""
