"""`plano down`: ask the supervisor of a run dir to stop, wait for it with a bound, and make sure that nothing is left."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from control_plane.supervisor.instance import Instance, read_instance
from control_plane.supervisor.leftovers import clear_leftovers
from control_plane.supervisor.lock import AlreadyLocked, is_locked, locked
from control_plane.supervisor.processes import is_running

STOP_TIMEOUT_SECONDS = 45.0
"""More than drain and graces of all children together."""
INTRODUCTION_TIMEOUT_SECONDS = 10.0
"""More than reading a large configuration takes."""
_POLL_SECONDS = 0.1


class WillNotStop(Exception):
    """Something holds the run dir that we cannot end."""


def stop_gateway(run_dir: Path, *, tell: Callable[[str], None], timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> bool:
    """Stop what runs there; return whether anything did."""
    lock = run_dir / "plano.lock"
    if not is_locked(lock):
        return lock.exists() and _sweep(run_dir, tell)
    instance = _introduced(run_dir)
    if instance is None:
        raise WillNotStop(f"something holds {lock} and does not say who it is")
    tell(f"Stopping pid {instance.pid}: requests in flight may finish ...")
    _signal(instance, signal.SIGTERM)
    if not _released(lock, timeout_seconds):
        tell(f"pid {instance.pid} did not stop within {timeout_seconds:g} s; killing it")
        _signal(instance, signal.SIGKILL)
        if not _released(lock, 5.0):
            raise WillNotStop(f"pid {instance.pid} cannot be killed")
        _sweep(run_dir, tell)
    return True


def _introduced(run_dir: Path) -> Instance | None:
    """Return who holds the run dir; one that has just begun has not said so yet, and may find another one's file."""
    deadline = time.monotonic() + INTRODUCTION_TIMEOUT_SECONDS
    while True:
        instance = read_instance(run_dir / "plano.json")
        if instance and is_running(instance.pid, instance.start_mark):
            return instance
        if time.monotonic() > deadline:
            return None
        time.sleep(_POLL_SECONDS)


def _released(lock: Path, timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while is_locked(lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _sweep(run_dir: Path, tell: Callable[[str], None]) -> bool:
    """Remove what a dead supervisor left; return whether anything ran."""
    with contextlib.suppress(AlreadyLocked), locked(run_dir / "plano.lock"):
        killed = clear_leftovers(run_dir)
        if killed:
            tell(f"Its supervisor was dead; ended {', '.join(process.name for process in killed)}.")
        return bool(killed)
    return False


def _signal(instance: Instance, number: signal.Signals) -> None:
    """Send a signal, unless the pid is somebody else's by now."""
    with contextlib.suppress(ProcessLookupError):
        if is_running(instance.pid, instance.start_mark):
            os.kill(instance.pid, number)
