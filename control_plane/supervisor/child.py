"""One supervised child process: in its own process group, restarted when it dies, killed if it does not stop in time.

A dead child's group is killed before its next start, so that none of its own children holds a socket or a port, except for
a child whose processes may outlive it.
"""

import asyncio
import contextlib
import os
import signal
import time
from asyncio.subprocess import DEVNULL, STDOUT, Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from control_plane.supervisor.instance import ProcessState, ProcessView
from control_plane.supervisor.processes import start_mark


@dataclass(frozen=True, slots=True, kw_only=True)
class ChildSpec:
    """What to run. Arguments are visible to every user of the machine, so they never contain secrets."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str] | None = None
    """None: our own, with the keys that the configuration names."""
    grace_seconds: float = 10.0
    """How long it may take to stop after SIGTERM before its group is killed."""
    is_outlived: bool = False
    """Whether its own child processes continue after its death, until those of its successor have taken over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backoff:
    """Restarts at once after a stable run, then after delays that double."""

    first_seconds: float = 0.25
    cap_seconds: float = 5.0
    forgiven_after_seconds: float = 10.0

    def delay(self, deaths: int) -> float:
        """Return the delay after the given number of consecutive deaths, counted from 1."""
        return 0.0 if deaths == 1 else float(min(self.cap_seconds, self.first_seconds * 2.0 ** min(deaths - 2, 32)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Death:
    """A child ended unexpectedly."""

    name: str
    how: str
    deaths: int
    """In a row."""
    delay_seconds: float
    """Until it is started again."""


class Child:
    """Keeps one process running until it is stopped."""

    def __init__(
        self, spec: ChildSpec, *, backoff: Backoff, on_start: Callable[[], None], on_death: Callable[[Death], None]
    ) -> None:
        self.spec = spec
        self._backoff = backoff
        self._on_start = on_start
        self._on_death = on_death
        self._process: Process | None = None
        self._started_at: float | None = None
        self._start_mark = ""
        self._log_offset = 0
        self._starts = 0
        self._deaths = 0
        self._last_exit: str | None = None
        self._stop = asyncio.Event()
        self._stopped = asyncio.Event()
        self._stopped.set()

    @property
    def view(self) -> ProcessView:
        """Its current state."""
        running = self._process is not None
        resting = ProcessState.STOPPED if self._stop.is_set() or not self._starts else ProcessState.RESTARTING
        return ProcessView(
            name=self.spec.name,
            state=ProcessState.RUNNING if running else resting,
            pid=self._process.pid if self._process else None,
            start_mark=self._start_mark if running else "",
            started_at=self._started_at if running else None,
            restarts=max(0, self._starts - 1),
            last_exit=self._last_exit,
        )

    async def run(self) -> None:
        """Start it, and restart it whenever it dies, until `stop`."""
        self._stopped.clear()
        try:
            while not self._stop.is_set():
                await self._run_once()
        finally:
            self.kill()
            self._stopped.set()

    async def stop(self) -> None:
        """Terminate it, wait for its grace period, then kill its group. Does nothing if it does not run."""
        self._stop.set()
        self._terminate()
        try:
            async with asyncio.timeout(self.spec.grace_seconds):
                await self._stopped.wait()
        except TimeoutError:
            self.kill()
            await self._stopped.wait()

    def kill(self) -> None:
        """Kill it and its process group."""
        if self._process:
            _kill_group(self._process.pid)

    def last_log_lines(self, count: int = 15) -> list[str]:
        """Return the last log lines since its latest start."""
        try:
            with self.spec.log.open("rb") as log:
                log.seek(max(self._log_offset, os.fstat(log.fileno()).st_size - 64 * 1024))
                return log.read().decode(errors="replace").splitlines()[-count:]
        except FileNotFoundError:
            return []

    def _terminate(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            if self._process:
                self._process.send_signal(signal.SIGTERM)

    async def _run_once(self) -> None:
        self._starts += 1
        try:
            process = self._process = await self._spawn()
        except OSError as error:
            self._last_exit = f"cannot be started: {error}"
            return await self._rest(0)
        self._started_at, self._start_mark = time.time(), start_mark(process.pid)
        began = time.monotonic()
        self._on_start()
        if self._stop.is_set():  # stopped while it was starting
            self._terminate()
        try:
            code = await process.wait()
        finally:
            if self._stop.is_set() or not self.spec.is_outlived:
                _kill_group(process.pid)
            self._process = None
        self._last_exit = describe_exit(code)
        if not self._stop.is_set():
            await self._rest(time.monotonic() - began)
        return None

    async def _rest(self, lived_seconds: float) -> None:
        self._deaths = 1 if lived_seconds >= self._backoff.forgiven_after_seconds else self._deaths + 1
        delay = self._backoff.delay(self._deaths)
        how = self._last_exit or ""
        self._on_death(Death(name=self.spec.name, how=how, deaths=self._deaths, delay_seconds=delay))
        try:
            async with asyncio.timeout(delay):
                await self._stop.wait()
        except TimeoutError:
            return

    async def _spawn(self) -> Process:
        log = os.open(self.spec.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            self._log_offset = os.fstat(log).st_size
            return await asyncio.create_subprocess_exec(
                *self.spec.argv,
                stdin=DEVNULL,
                stdout=log,
                stderr=STDOUT,
                process_group=0,
                env=self.spec.environment,
            )
        finally:
            os.close(log)


def describe_exit(code: int) -> str:
    """Describe how a process ended."""
    return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


def _kill_group(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of zombies
        os.killpg(pid, signal.SIGKILL)
