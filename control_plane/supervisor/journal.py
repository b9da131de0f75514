"""The supervisor's events: JSON lines in `supervisor.log`, and messages on the terminal if there is one."""

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from control_plane.supervisor.child import Death
from process_log import Line, LogSink


class Journal:
    """Records events of one instance."""

    def __init__(self, log: structlog.typing.FilteringBoundLogger, tell: Callable[[str], None]) -> None:
        self._log = log
        self._tell = tell

    def record(self, event: str, **facts: str | float | None) -> None:
        """Write one line to the log."""
        self._log.info(event, **facts)

    def child_died(self, death: Death) -> None:
        """Record and report that a child died."""
        self.record("child_died", child=death.name, how=death.how, deaths=death.deaths, restart_in_seconds=death.delay_seconds)
        self._say(f"{death.name} ended ({death.how}); starting it again in {death.delay_seconds:g} s")

    def stopping(self, reason: str) -> None:
        """Record and report that the gateway stops."""
        self.record("stop_requested", reason=reason)
        self._say("Stopping: requests in flight may finish ...")

    def progress(self, line: str) -> None:
        """Say how far a start is; the log has it in events of its own."""
        self._say(line)

    def _say(self, line: str) -> None:
        with suppress(OSError):  # the terminal may be closed
            self._tell(line)


@contextmanager
def open_journal(path: Path, tell: Callable[[str], None]) -> Iterator[Journal]:
    """Append to the log at `path`; `tell` receives messages for the terminal."""
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        log: structlog.typing.FilteringBoundLogger = structlog.wrap_logger(
            structlog.BytesLogger(LogSink(str(path), file)),  # type: ignore[arg-type]
            processors=[Line({})],
            wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        )
        yield Journal(log, tell)
    finally:
        os.close(file)
