"""One supervisor per run dir: a file lock, which the kernel releases when its holder ends. No stale pid files."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyLocked(Exception):
    """Another process holds the lock."""


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock; raises AlreadyLocked if another process does. Children do not inherit it."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        _acquire(handle, path)
        yield
    finally:
        os.close(handle)


def is_locked(path: Path) -> bool:
    """Return whether some process holds the lock."""
    if not path.exists():
        return False
    try:
        with locked(path):
            return False
    except AlreadyLocked:
        return True


def _acquire(handle: int, path: Path) -> None:
    """Try a few times: another command may hold the lock briefly while it checks it."""
    for pause_seconds in (0.01, 0.05, None):
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if pause_seconds is None:
                raise AlreadyLocked(path) from error
            time.sleep(pause_seconds)
        else:
            return
