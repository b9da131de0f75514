"""Starts the three children, supervises them, and stops them: Envoy first, so that no new requests arrive.

Ends by `stop()`, or by itself if the gateway does not become healthy. Every change is written to `plano.json`.
"""

import asyncio
import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from control_plane.status import read_status
from control_plane.supervisor.admin import drain, wait_until, wait_until_healthy
from control_plane.supervisor.child import Backoff, Child, ChildSpec, Death
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance, ListenerView, Phase, write_instance
from control_plane.supervisor.journal import Journal
from control_plane.supervisor.log_rotation import LogLimits, LogRotation
from control_plane.supervisor.processes import start_mark
from control_plane.supervisor.progress import Progress

DEATHS_BEFORE_GIVING_UP = 3
"""Maximum of consecutive deaths of one child before the gateway is first healthy."""
_POLL_SECONDS = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """Everything that one instance consists of."""

    control_plane: ChildSpec
    ext_proc: ChildSpec
    envoy: ChildSpec
    xds_socket: Path
    """Envoy is started once this exists: then its bootstrap is written, and the ADS server is ready."""
    worker_sockets: tuple[Path, ...]
    """Where the workers of ext_proc listen."""
    config_file: str
    sockets: str
    instance_file: Path
    status_file: Path
    """The control plane's."""
    admin_socket: str
    stats_url: str
    metrics_url: str
    listeners: tuple[ListenerView, ...]
    log_limits: LogLimits
    healthy_within_seconds: float = 60.0
    drain_seconds: float = 10.0
    backoff: Backoff = field(default_factory=Backoff)


class Supervisor:
    """Runs one launch from start to stop."""

    def __init__(
        self, launch: Launch, journal: Journal, rotation: LogRotation, *, on_healthy: Callable[[Instance], None]
    ) -> None:
        self._launch = launch
        self._journal = journal
        self._rotation = rotation
        self._on_healthy = on_healthy
        self._phase = Phase.STARTING
        self._was_healthy = False
        self._started_at = time.time()
        self._start_mark = start_mark(os.getpid())
        self._stop = asyncio.Event()
        self._progress = Progress(journal.progress)
        self._failure: str | None = None
        self._control_plane, self._ext_proc, self._envoy = (
            Child(spec, backoff=launch.backoff, on_start=self._write_instance, on_death=self._child_died)
            for spec in (launch.control_plane, launch.ext_proc, launch.envoy)
        )

    @property
    def instance(self) -> Instance:
        """The current state of the instance."""
        launch = self._launch
        return Instance(
            pid=os.getpid(),
            start_mark=self._start_mark,
            phase=self._phase,
            started_at=self._started_at,
            config_file=launch.config_file,
            sockets=launch.sockets,
            admin_socket=launch.admin_socket,
            stats_url=launch.stats_url,
            metrics_url=launch.metrics_url,
            listeners=launch.listeners,
            processes=tuple(child.view for child in self._children),
        )

    async def run(self) -> None:
        """Run until `stop`. Raises CannotStart if the gateway does not become healthy; nothing is left running then."""
        async with asyncio.TaskGroup() as tasks:
            bring_up = tasks.create_task(self._bring_up(tasks))
            rotation = tasks.create_task(self._rotation.run())
            try:
                await self._stop.wait()
            finally:
                bring_up.cancel()
                await self._take_down()
                rotation.cancel()
        if self._failure:
            raise CannotStart(self._failure)

    def stop(self, reason: str) -> None:
        """Drain and stop. A second call stops at once."""
        if self._stop.is_set():
            for child in self._children:
                child.kill()
            return
        self._journal.stopping(reason)
        self._stop.set()

    @property
    def _children(self) -> tuple[Child, ...]:
        return (self._control_plane, self._ext_proc, self._envoy)

    async def _bring_up(self, tasks: asyncio.TaskGroup) -> None:
        try:
            async with asyncio.timeout(self._launch.healthy_within_seconds):
                await self._start_in_order(tasks)
        except TimeoutError:
            self._give_up(self._why_not_healthy())
            return
        self._was_healthy = True
        self._journal.record("became_healthy")
        self._enter(Phase.HEALTHY)
        with suppress(OSError):  # the reader may have exited
            self._on_healthy(self.instance)

    async def _start_in_order(self, tasks: asyncio.TaskGroup) -> None:
        workers = len(self._launch.worker_sockets)
        self._journal.progress(f"Starting the control plane and {workers} worker{'s' * (workers > 1)} of ext_proc ...")
        tasks.create_task(self._control_plane.run())
        tasks.create_task(self._ext_proc.run())
        async with self._progress.waiting_for("the control plane reads the configuration"):
            # Envoy waits long before it connects again.
            await wait_until(self._serves_xds, poll_seconds=_POLL_SECONDS)
        self._journal.progress("The control plane serves the configuration. Starting Envoy ...")
        tasks.create_task(self._envoy.run())
        async with self._progress.waiting_for("workers of ext_proc start"):
            await wait_until(self._workers_listen, poll_seconds=_POLL_SECONDS)
        self._journal.progress("The workers listen.")
        for listener in self._launch.listeners:
            async with self._progress.waiting_for(f'listener "{listener.name}" becomes healthy: {listener.url}/healthz'):
                await wait_until_healthy(listener.url)
            self._journal.progress(f'Listener "{listener.name}" is healthy.')

    async def _serves_xds(self) -> bool:
        return self._launch.xds_socket.exists()

    async def _workers_listen(self) -> bool:
        return all(socket.exists() for socket in self._launch.worker_sockets)

    async def _take_down(self) -> None:
        self._enter(Phase.STOPPING)
        if self._was_healthy:
            await drain(self._launch.admin_socket, bound_seconds=self._launch.drain_seconds)
        for child in (self._envoy, self._ext_proc, self._control_plane):
            await child.stop()
            self._write_instance()

    def _child_died(self, death: Death) -> None:
        self._write_instance()
        if self._stop.is_set():
            return
        if not self._was_healthy and death.deaths >= DEATHS_BEFORE_GIVING_UP:
            self._give_up(self._why_child_dies(death))
            return
        self._journal.child_died(death)

    def _give_up(self, cause: str) -> None:
        self._failure = cause
        self._journal.record("gave_up", cause=cause)
        self._stop.set()

    def _why_child_dies(self, death: Death) -> str:
        child = next(child for child in self._children if child.spec.name == death.name)
        lines = [f"{death.name} does not start: {death.how}, {death.deaths} times in a row", *_indented(child.last_log_lines())]
        return "\n".join([*lines, f"Its log: {child.spec.log}"])

    def _why_not_healthy(self) -> str:
        urls = ", ".join(listener.url for listener in self._launch.listeners)
        lines = [
            f"not healthy within {self._launch.healthy_within_seconds:g} s (asked {urls}/healthz)",
            f"the last thing to wait for: {self._progress.awaited}; --timeout gives it longer",
        ]
        status = read_status(self._launch.status_file)
        lines += [f"configuration {status.state}: {problem.message}" for problem in status.problems] if status else []
        for child in self._children:
            view = child.view
            lines += [
                f"{view.name}: {view.state}, {view.restarts} restarts; log: {child.spec.log}",
                *_indented(child.last_log_lines(5)),
            ]
        return "\n".join(lines)

    def _enter(self, phase: Phase) -> None:
        self._phase = phase
        self._write_instance()

    def _write_instance(self) -> None:
        try:
            write_instance(self._launch.instance_file, self.instance)
        except OSError as error:  # a full disk must not end the gateway
            self._journal.record("state_not_written", reason=error.strerror)


def _indented(lines: list[str]) -> list[str]:
    return [f"    {line}" for line in lines]
