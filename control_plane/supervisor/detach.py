"""`plano up --detach`: runs the supervisor in a new session, which reports its progress through a pipe.

`python -m control_plane.supervisor` is that process. The last report is healthy or an error; if the pipe closes without one,
the process has died.
"""

import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.run_dir import claim_directory

BEYOND_TIMEOUT_SECONDS = 30.0
"""Beyond the supervisor's own bound for becoming healthy: time to take everything down."""


class Report(BaseModel):
    """Progress or outcome of a detached start: exactly one of these is set."""

    progress: str | None = None
    healthy: Instance | None = None
    cause: str | None = None


def run_detached(request: UpRequest, *, tell: Callable[[str], None]) -> Instance:
    """Start the gateway and return once it is healthy. Raises CannotStart; nothing is left running then."""
    log = claim_directory(request.run_dir) / "supervisor.log"
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as report:
        try:
            process = _spawn(request, writer, log)
        finally:
            os.close(writer)
        try:
            outcome = _follow(report.fileno(), request.timeout_seconds + BEYOND_TIMEOUT_SECONDS, tell)
        except BaseException:  # Ctrl-C while it starts: take it down with us
            _end(process)
            raise
    if outcome.healthy is None:
        _end(process)
        raise CannotStart(f"{outcome.cause or 'the supervisor died while it started'}\nThe supervisor's log: {log}")
    return outcome.healthy


def _spawn(request: UpRequest, writer: int, log: Path) -> "subprocess.Popen[bytes]":
    handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        with handed_over(request) as handed:
            return subprocess.Popen(  # noqa: S603 our own module
                (sys.executable, "-P", "-m", "control_plane.supervisor", str(writer), str(handed)),
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                pass_fds=(writer, handed),
                start_new_session=True,
            )
    finally:
        os.close(handle)


@contextmanager
def handed_over(request: UpRequest) -> Iterator[int]:
    """Yield a file that a new process can read a request from, whatever its size."""
    with tempfile.TemporaryFile() as file:
        file.write(request.to_json())
        file.flush()
        file.seek(0)
        yield file.fileno()


def _follow(reader: int, within_seconds: float, tell: Callable[[str], None]) -> Report:
    """Pass on what is reached; return the last word."""
    data, deadline = b"", time.monotonic() + within_seconds
    while select.select([reader], [], [], max(0.0, deadline - time.monotonic()))[0]:
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            return Report()
        *lines, data = (data + chunk).split(b"\n")
        for report in map(Report.model_validate_json, lines):
            if report.progress is None:
                return report
            tell(report.progress)
    return Report(cause=f"no answer from the supervisor within {within_seconds:g} s")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Stop it: on SIGTERM it stops its children."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
