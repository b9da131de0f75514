"""Folders of the master: gone when it ends. What one has left that was killed, the next one removes."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_LOCK: Final = ".lock"
"""Held as long as the master lives: its workers do not inherit it."""


@contextmanager
def master_folder(prefix: str, *, place: str | None = None) -> Iterator[Path]:
    """Make a folder that is closed to others, in a place or where temporary files are."""
    parent = Path(place or tempfile.gettempdir())
    for left in parent.glob(f"{prefix}*"):
        _remove_if_left(left)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name, Path(name, _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield Path(name)


def _remove_if_left(folder: Path) -> None:
    try:
        if folder.lstat().st_uid != os.getuid():
            return
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # somebody's, or just being made or removed
        return
