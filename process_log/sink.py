"""A sink for standard error that never raises, and that follows its file when it is rotated."""

import contextlib
import os
import time
from collections.abc import Callable
from typing import Final

FILE_VARIABLE: Final = "PLANO_LOG_FILE"
"""Environment variable that names the file to which the supervisor has sent standard error."""

_STDERR: Final = 2
_SECONDS_BETWEEN_LOOKS: Final = 1.0


class LogSink:
    """Writes lines to a descriptor; lines that cannot be written, for example on a full disk, are counted and lost."""

    def __init__(self, path: str, descriptor: int = _STDERR, *, now: Callable[[], float] = time.monotonic) -> None:
        """Write to a descriptor, and follow the file at `path` when it is replaced; empty: no file to follow."""
        self._path = path
        self._descriptor = descriptor
        self._now = now
        self._looked_at = now()
        self._lost = 0

    def write(self, line: bytes) -> None:
        """Write one line, or count it as lost."""
        if self._path and self._now() - self._looked_at >= _SECONDS_BETWEEN_LOOKS:
            self.follow()
        try:
            if self._lost:
                line = b'{"event":"log_lines_lost","count":%d}\n%b' % (self._lost, line)
            os.write(self._descriptor, line)
            self._lost = 0
        except OSError:
            self._lost += 1

    def flush(self) -> None:
        """Do nothing: lines are not buffered."""

    def follow(self) -> None:
        """Redirect the descriptor to the current file at the path."""
        self._looked_at = self._now()
        with contextlib.suppress(OSError):
            if not self._is_current():
                file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
                os.dup2(file, self._descriptor)
                os.close(file)

    def _is_current(self) -> bool:
        try:
            there = os.stat(self._path)
        except FileNotFoundError:
            return False
        return os.path.samestat(there, os.fstat(self._descriptor))
