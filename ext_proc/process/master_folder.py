"""Folders of the master: removed when it ends. Those of a killed master are removed by a later one."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_LOCK: Final = ".lock"
"""Held as long as the master lives, or a process to which it has passed the open file."""


@dataclass(frozen=True, slots=True)
class MasterFolder:
    """One folder."""

    path: Path
    lock: int
    """Descriptor of the lock, for those that use the folder beside the master."""


@contextmanager
def master_folder(prefix: str, *, place: str | None = None) -> Iterator[MasterFolder]:
    """Create a private folder, in `place` or where temporary files are."""
    remove_left(prefix, place=place)
    parent = place or tempfile.gettempdir()
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as name, Path(name, _LOCK).open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield MasterFolder(Path(name), lock.fileno())


def remove_left(prefix: str, *, place: str | None = None) -> None:
    """Remove such folders that are not in use any more."""
    for left in Path(place or tempfile.gettempdir()).glob(f"{prefix}*"):
        _remove_if_left(left)


def _remove_if_left(folder: Path) -> None:
    try:
        if folder.lstat().st_uid != os.getuid():
            return
        with (folder / _LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
    except OSError:  # another user's, or just being created or removed
        return
