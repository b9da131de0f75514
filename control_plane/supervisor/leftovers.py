"""Cleans up after a supervisor that was killed: running children, sockets, state files."""

import contextlib
import os
import signal
import time
from pathlib import Path

from control_plane.supervisor.instance import Instance, ProcessView, read_instance
from control_plane.supervisor.processes import is_running
from control_plane.supervisor.run_dir import RunDir, remove_sockets

_DEATH_SECONDS = 5.0
_POLL_SECONDS = 0.01


def orphans(instance: Instance) -> tuple[ProcessView, ...]:
    """Return the recorded children that still run."""
    return tuple(process for process in instance.processes if _runs(process))


def clear_leftovers(path: Path) -> tuple[ProcessView, ...]:
    """Remove the remains of an earlier instance; return the killed children. The caller must hold the lock."""
    unknown_sockets = RunDir(path, path)
    instance = read_instance(unknown_sockets.instance)
    killed = orphans(instance) if instance else ()
    if instance:
        _kill(killed)
        remove_sockets(RunDir(path, Path(instance.sockets)))
    remove_sockets(unknown_sockets)
    for file in (unknown_sockets.instance, unknown_sockets.status, unknown_sockets.bootstrap):
        file.unlink(missing_ok=True)
    return killed


def _kill(processes: tuple[ProcessView, ...]) -> None:
    for process in processes:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid or 0, signal.SIGKILL)
    # Until they have exited they hold their ports.
    deadline = time.monotonic() + _DEATH_SECONDS
    while any(map(_runs, processes)) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _runs(process: ProcessView) -> bool:
    return process.pid is not None and is_running(process.pid, process.start_mark)
