"""`plano logs`: shows the last lines of the log files, prefixed by component, and follows them on demand."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

COMPONENTS = ("supervisor", "control_plane", "ext_proc", "envoy", "access")
_TAIL_BYTES = 1 << 20
_POLL_SECONDS = 0.25


def _pause() -> None:
    time.sleep(_POLL_SECONDS)


@dataclass(slots=True)
class LogFile:
    """A log file that is read as it grows; it may be truncated, replaced, or not exist yet."""

    component: str
    path: Path
    _offset: int = 0
    _inode: int = 0
    _partial: bytes = field(default=b"", repr=False)

    def tail(self, count: int) -> list[str]:
        """Return the last lines, and continue after them."""
        if not self.path.exists():
            return []
        with self.path.open("rb") as file:
            facts = os.fstat(file.fileno())
            self._inode, skipped = facts.st_ino, max(0, facts.st_size - _TAIL_BYTES)
            file.seek(skipped)
            data = file.read()
        self._offset = skipped + len(data)
        lines = self._complete(data)[1 if skipped else 0 :]
        return lines[-count:] if count else []

    def read_new(self) -> list[str]:
        """Return the complete lines since the last call."""
        try:
            with self.path.open("rb") as file:
                facts = os.fstat(file.fileno())
                if facts.st_ino != self._inode or facts.st_size < self._offset:
                    self._inode, self._offset, self._partial = facts.st_ino, 0, b""
                file.seek(self._offset)
                data = file.read()
        except FileNotFoundError:
            return []
        self._offset += len(data)
        return self._complete(data)

    def _complete(self, data: bytes) -> list[str]:
        *lines, self._partial = (self._partial + data).split(b"\n")
        return [line.decode(errors="replace") for line in lines]


def open_logs(run_dir: Path, component: str | None) -> list[LogFile]:
    """Return the log files of one component, or all."""
    return [LogFile(name, run_dir / f"{name}.log") for name in ([component] if component else COMPONENTS)]


def show_logs(logs: Sequence[LogFile], *, lines: int, say: Callable[[str], None]) -> None:
    """Print the last lines of each file."""
    width = max(len(log.component) for log in logs)
    for log in logs:
        for line in log.tail(lines):
            say(f"{log.component:{width}} | {line}")


def follow_logs(logs: Sequence[LogFile], *, say: Callable[[str], None], pause: Callable[[], None] = _pause) -> None:
    """Print new lines until interrupted."""
    width = max(len(log.component) for log in logs)
    while True:
        for log in logs:
            for line in log.read_new():
                say(f"{log.component:{width}} | {line}")
        pause()
