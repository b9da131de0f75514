"""`plano down`: stops the supervisor of a run dir, with a time limit, and cleans up what remains."""

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
"""More than draining and the grace periods of all children together."""
INTRODUCTION_TIMEOUT_SECONDS = 10.0
"""More than the time to read a large configuration."""
_POLL_SECONDS = 0.1


class WillNotStop(Exception):
    """A process that holds the run dir does not stop."""


def stop_gateway(run_dir: Path, *, tell: Callable[[str], None], timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> bool:
    """Stop the gateway; return whether one was running."""
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
    """Return the instance that holds the run dir, after waiting until a starting one has written its file."""
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
    """Remove what a dead supervisor left behind; return whether anything ran."""
    with contextlib.suppress(AlreadyLocked), locked(run_dir / "plano.lock"):
        killed = clear_leftovers(run_dir)
        if killed:
            tell(f"Its supervisor was dead; ended {', '.join(process.name for process in killed)}.")
        return bool(killed)
    return False


def _signal(instance: Instance, number: signal.Signals) -> None:
    """Send a signal, unless the pid belongs to another process by now."""
    with contextlib.suppress(ProcessLookupError):
        if is_running(instance.pid, instance.start_mark):
            os.kill(instance.pid, number)
