"""The master: forks the workers, starts the embedder, restarts them if they die, serves the metrics, and stops them.

The standard input of each is a pipe that the master holds open, so that they detect its end. The embedder then ends, too;
workers continue until those of the next master have taken over.
"""

import asyncio
import os
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from socket import socket
from typing import Final

from prometheus_client.multiprocess import mark_process_dead

from ext_proc.embedder import missing_packages
from ext_proc.parent import OUTLIVES_MASTER_SECONDS
from ext_proc.process.activation import connection, listening
from ext_proc.process.fork import Fork, fork, keep_shared
from ext_proc.process.master_folder import MasterFolder, master_folder, remove_left
from ext_proc.telemetry.master_metrics import MasterMetrics
from process_log import get_logger

_FIRST_DELAY_SECONDS: Final = 0.1
_LAST_DELAY_SECONDS: Final = 10.0
_OVERDUE_SECONDS: Final = 5.0
"""Beyond the grace period a worker that has not ended hangs."""
_FOLDERS: Final = ("plano-metrics-", "plano-sessions-")
_SHARED_MEMORY: Final = "/dev/shm"  # noqa: S108 - a directory of our own is made in it
_HEALTHY_SECONDS: Final = 10.0
"""A worker that lived this long is restarted at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerPlace:
    """What a worker gets from its master."""

    number: int
    address: str
    """Where Envoy finds it."""
    metrics_folder: str
    sessions_file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MasterSettings:
    """The settings of the master."""

    run_worker: Callable[[WorkerPlace], None]
    """Runs a worker to its end, in a process of its own."""

    workers: int
    listen: str
    """See `worker_address`."""
    metrics: str
    """`host:port` of /metrics."""
    log_level: str
    grace_seconds: float
    embedder: str = ""
    """Where the embedder listens, `unix:///path` or `host:port`; empty: there is none."""


def worker_address(listen: str, worker: int) -> str:
    """Return a worker's address: `{worker}` is its number, and TCP ports are counted up from the given one."""
    if "{worker}" in listen:
        return listen.replace("{worker}", str(worker))
    host, colon, port = listen.rpartition(":")
    if listen.startswith("unix:") or not colon or not port.isdigit():
        return listen
    return f"{host}:{int(port) + worker if int(port) else 0}"


class Master:
    """Keeps the workers running."""

    def __init__(self, settings: MasterSettings) -> None:
        self._settings = settings
        self._processes: dict[int, Fork] = {}
        self._embedder: Process | None = None
        self._stopping = asyncio.Event()
        self._log = get_logger()

    @property
    def pids(self) -> Mapping[int, int]:
        """Process ids of the running workers, by number."""
        return {number: process.pid for number, process in self._processes.items()}

    async def run(self) -> None:
        """Run until SIGTERM or SIGINT; the workers have ended when this returns."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.stop)
        memory = _memory()  # a full disk must not kill writers of a mapped file
        with ExitStack() as stack:
            folders = [stack.enter_context(master_folder(prefix, place=memory)) for prefix in _FOLDERS]
            alive, ours = os.pipe()
            stack.callback(os.close, ours)
            stack.callback(os.close, alive)
            start = partial(self._start, folders, alive)
            keep_shared()
            metrics = MasterMetrics(str(folders[0].path))
            host, _, port = self._settings.metrics.rpartition(":")
            bound = metrics.serve(host.strip("[]"), int(port))
            self._log.info("metrics_serving", host=host, port=bound)
            try:
                async with asyncio.TaskGroup() as tasks:
                    for worker in range(self._settings.workers):
                        tasks.create_task(self._keep_running(partial(start, worker), worker, folders[0].path, metrics))
                    if self._has_embedder():
                        tasks.create_task(self._keep_embedder(metrics))
                    tasks.create_task(self._clean_up_later(memory))
            finally:
                metrics.close()

    def stop(self) -> None:
        """Ask all workers to drain and end."""
        self._stopping.set()
        for process in (*self._processes.values(), *((self._embedder,) if self._embedder else ())):
            process.terminate()

    async def _keep_running(self, start: Callable[[], Fork], worker: int, folder: Path, metrics: MasterMetrics) -> None:
        async for status, lived, delay in self._runs(partial(self._run_once, start, worker, folder, metrics)):
            self._log.error("worker_died", worker=worker, status=status, lived_seconds=lived, restart_in_seconds=delay)
            metrics.restarts.inc()

    async def _keep_embedder(self, metrics: MasterMetrics) -> None:
        """Run the embedder from its first call on: many gateways do not need it."""
        with listening(self._settings.embedder) as listener:
            await self._until_stopped(connection(listener))
            async for status, lived, delay in self._runs(partial(self._run_embedder, listener)):
                self._log.error("embedder_died", status=status, lived_seconds=lived, restart_in_seconds=delay)
                metrics.embedder_restarts.inc()

    async def _until_stopped(self, awaited: Coroutine[None, None, None]) -> None:
        async with asyncio.TaskGroup() as tasks:
            waiting = {tasks.create_task(awaited), tasks.create_task(self._stopping.wait())}
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()

    async def _runs(self, run_once: Callable[[], Awaitable[int]]) -> AsyncIterator[tuple[int, float, float]]:
        """Run a process repeatedly; yield its exit code, its lifetime and the delay until the next start, in seconds."""
        delay = _FIRST_DELAY_SECONDS
        while not self._stopping.is_set():
            started = time.monotonic()
            status = await run_once()
            if self._stopping.is_set():
                return
            lived = time.monotonic() - started
            delay = _FIRST_DELAY_SECONDS if lived > _HEALTHY_SECONDS else min(delay * 2, _LAST_DELAY_SECONDS)
            yield status, round(lived, 1), delay
            await self._pause(delay)

    def _has_embedder(self) -> bool:
        if not self._settings.embedder:
            return False
        missing = missing_packages()
        if missing:
            self._log.warning("embedder_unavailable", missing=missing, remedy="pip install 'plano-gateway[semantic]'")
        return not missing

    async def _run_embedder(self, listener: socket) -> int:
        command = (sys.executable, "-m", "ext_proc.embedder", "--socket", str(listener.fileno()))
        self._embedder = await asyncio.create_subprocess_exec(
            *command, "--log-level", self._settings.log_level, stdin=PIPE, pass_fds=[listener.fileno()]
        )
        if self._stopping.is_set():
            self._embedder.terminate()
        try:
            return await self._ended(self._embedder)
        finally:
            self._embedder = None

    async def _run_once(self, start: Callable[[], Fork], worker: int, folder: Path, metrics: MasterMetrics) -> int:
        process = self._processes[worker] = start()
        metrics.workers.inc()
        if self._stopping.is_set():
            process.terminate()
        try:
            return await self._ended(process)
        finally:
            del self._processes[worker]
            metrics.workers.dec()
            mark_process_dead(worker, str(folder))  # type: ignore[no-untyped-call]

    def _start(self, folders: Sequence[MasterFolder], alive: int, worker: int) -> Fork:
        metrics, sessions = (folder.path for folder in folders)
        place = WorkerPlace(
            number=worker,
            address=worker_address(self._settings.listen, worker),
            metrics_folder=str(metrics),
            sessions_file=str(sessions / "sessions.sqlite"),
        )
        # With the locks of the folders: they stay as long as a worker uses them.
        return fork(partial(self._settings.run_worker, place), alive=alive, kept=[folder.lock for folder in folders])

    async def _clean_up_later(self, memory: str | None) -> None:
        """Remove what a master left that was killed, once the workers that outlived it have ended."""
        await self._pause(OUTLIVES_MASTER_SECONDS + self._settings.grace_seconds + _OVERDUE_SECONDS)
        for prefix in _FOLDERS:
            remove_left(prefix, place=memory)

    async def _ended(self, process: Process | Fork) -> int:
        """Wait for the end of a process; kill it if draining takes too long."""
        async with asyncio.TaskGroup() as tasks:
            overdue = tasks.create_task(self._kill_when_overdue(process))
            status = await process.wait()
            overdue.cancel()
        return status

    async def _kill_when_overdue(self, process: Process | Fork) -> None:
        await self._stopping.wait()
        await asyncio.sleep(self._settings.grace_seconds + _OVERDUE_SECONDS)
        process.kill()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            pass


def _memory() -> str | None:
    """Return a directory in memory; None for the usual one of temporary files."""
    return _SHARED_MEMORY if os.access(_SHARED_MEMORY, os.W_OK) else None
