"""`plano down`: ask the supervisor of a run dir to stop, wait for it with a bound, and make sure that nothing is left."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from control_plane.supervisor.instance import read_instance
from control_plane.supervisor.leftovers import clear_leftovers
from control_plane.supervisor.lock import AlreadyLocked, is_locked, locked

STOP_TIMEOUT_SECONDS = 45.0
"""More than drain and graces of all children together."""
_POLL_SECONDS = 0.1


class WillNotStop(Exception):
    """Something holds the run dir that we cannot end."""


def stop_gateway(run_dir: Path, *, tell: Callable[[str], None], timeout_seconds: float = STOP_TIMEOUT_SECONDS) -> bool:
    """Stop what runs there; return whether anything did."""
    lock = run_dir / "plano.lock"
    if not is_locked(lock):
        if lock.exists():
            _sweep(run_dir)
        return False
    instance = read_instance(run_dir / "plano.json")
    if instance is None:
        raise WillNotStop(f"a gateway is starting or stopping in {run_dir}; try again in a moment")
    tell(f"Stopping pid {instance.pid}: requests in flight may finish ...")
    _signal(instance.pid, signal.SIGTERM)
    if not _released(lock, timeout_seconds):
        tell(f"pid {instance.pid} did not stop within {timeout_seconds:g} s; killing it")
        _signal(instance.pid, signal.SIGKILL)
        if not _released(lock, 5.0):
            raise WillNotStop(f"pid {instance.pid} cannot be killed")
        _sweep(run_dir)
    return True


def _released(lock: Path, timeout_seconds: float) -> bool:
    deadline = time.monotonic() + timeout_seconds
    while is_locked(lock):
        if time.monotonic() > deadline:
            return False
        time.sleep(_POLL_SECONDS)
    return True


def _sweep(run_dir: Path) -> None:
    with contextlib.suppress(AlreadyLocked), locked(run_dir / "plano.lock"):
        clear_leftovers(run_dir)


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
