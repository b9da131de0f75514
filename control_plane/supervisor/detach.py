"""`plano up --detach`: the same in a process of its own session, which reports once through a pipe how the start went.

`python -m control_plane.supervisor` is that process. The pipe says healthy or why not; its end without a word, that it died.
"""

import os
import select
import signal
import subprocess
import sys
from pathlib import Path

from pydantic import BaseModel

from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.run_dir import claim_directory

LAUNCH_TIMEOUT_SECONDS = 60.0
"""The supervisor's own bound for becoming healthy, and time to read the configuration and to take everything down."""


class Outcome(BaseModel):
    """How a detached start went: exactly one of the two."""

    healthy: Instance | None = None
    cause: str | None = None


def run_detached(request: UpRequest) -> Instance:
    """Start the gateway and return once it is healthy. Raises CannotStart; nothing is left running then."""
    log = claim_directory(request.run_dir) / "supervisor.log"
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as report:
        try:
            process = _spawn(request, writer, log)
        finally:
            os.close(writer)
        try:
            outcome = _read_outcome(report.fileno())
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
        return subprocess.Popen(  # noqa: S603 our own module
            (sys.executable, "-P", "-m", "control_plane.supervisor", str(writer), *request.arguments()),
            stdin=subprocess.DEVNULL,
            stdout=handle,
            stderr=handle,
            pass_fds=(writer,),
            start_new_session=True,
        )
    finally:
        os.close(handle)


def _read_outcome(reader: int) -> Outcome:
    data = b""
    while select.select([reader], [], [], LAUNCH_TIMEOUT_SECONDS)[0]:
        chunk = os.read(reader, 1 << 16)
        if not chunk:
            return Outcome.model_validate_json(data) if data else Outcome()
        data += chunk
    return Outcome(cause=f"no answer from the supervisor within {LAUNCH_TIMEOUT_SECONDS:g} s")


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Make sure that it is gone: it takes its children down when asked to."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(timeout=30)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
