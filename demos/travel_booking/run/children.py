"""The demo's own servers as child processes: started on sockets that are already open, stopped whatever happens."""

import os
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

import httpx

START_SECONDS = 60
STOP_SECONDS = 10


class DemoFailed(Exception):
    """The demo could not do its part, and why."""


class Children:
    """Starts servers and stops all of them on exit; each writes to `<name>.log` in one folder."""

    def __init__(self, logs: Path) -> None:
        self._logs = logs
        self._running: dict[str, tuple[subprocess.Popen[bytes], str]] = {}

    def __enter__(self) -> "Children":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        for process, _ in self._running.values():
            process.terminate()
        for process, _ in self._running.values():
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, module: Sequence[str], environment: Mapping[str, str]) -> str:
        """Start `python -m module...` and return its URL; requests wait until it serves."""
        with socket.create_server(("127.0.0.1", 0)) as listening, (self._logs / f"{name}.log").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", *module, "--fd", str(listening.fileno())],
                env={**os.environ, **environment},
                pass_fds=[listening.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
            url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        self._running[name] = (process, url)
        return url

    def wait_until_healthy(self) -> None:
        """Return when every server answers its health check."""
        with httpx.Client(timeout=START_SECONDS, trust_env=False) as client:
            for name, (process, url) in self._running.items():
                try:
                    client.get(f"{url}/healthz").raise_for_status()
                except httpx.HTTPError as error:
                    code = _exit_status(process)
                    cause = f"{error}" if code is None else f"it exited with status {code}"
                    raise DemoFailed(f"{name} does not serve: {cause}") from error


def _exit_status(process: subprocess.Popen[bytes]) -> int | None:
    """Return how a process ended, None if it goes on; its socket can close a moment before it does."""
    try:
        return process.wait(1)
    except subprocess.TimeoutExpired:
        return None
