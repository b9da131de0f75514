"""`plano status`: collects the state of an instance from outside.

Combines its state files, its listeners' health, and the statistics of Envoy and ext_proc.
"""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path

from control_plane.status import ServedListener, Status, read_status
from control_plane.supervisor.admin import admin_client, is_healthy, local_client
from control_plane.supervisor.envoy_stats import ask_envoy
from control_plane.supervisor.failovers import ask_ext_proc
from control_plane.supervisor.instance import (
    Instance,
    ListenerView,
    Phase,
    ProcessState,
    ProcessView,
    reachable_url,
    read_instance,
)
from control_plane.supervisor.leftovers import orphans
from control_plane.supervisor.lock import is_locked
from control_plane.supervisor.processes import is_running
from control_plane.supervisor.upstreams import Failover, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerHealth:
    """One listener and the result of its /healthz."""

    listener: ListenerView
    healthy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """Everything that `plano status` shows."""

    run_dir: str
    instance: Instance | None
    """None if nothing runs."""
    listeners: tuple[ListenerHealth, ...] = ()
    status: Status | None = None
    """The control plane's status; None before it has written one."""
    upstreams: tuple[Upstream, ...] | None = None
    """None if Envoy does not answer."""
    failovers: tuple[Failover, ...] | None = None
    """Between models; None if ext_proc does not answer."""

    @property
    def healthy(self) -> bool:
        """Whether every process runs, and every listener answers."""
        return (
            self.instance is not None
            and self.instance.phase is Phase.HEALTHY
            and all(process.state is ProcessState.RUNNING for process in self.instance.processes)
            and all(health.healthy for health in self.listeners)
        )


def look(run_dir: Path) -> Overview:
    """Collect the state of a run dir."""
    instance = _instance(run_dir)
    if instance is None:
        return Overview(run_dir=str(run_dir), instance=None)
    status = read_status(run_dir / "status.json")
    views = tuple(map(_view, status.listeners)) if status else instance.listeners  # a reload may have changed them
    return asyncio.run(_ask(Overview(run_dir=str(run_dir), instance=instance, status=status), instance, views))


def _instance(run_dir: Path) -> Instance | None:
    """Return the running instance, or the remains of one whose supervisor was killed."""
    instance = read_instance(run_dir / "plano.json")
    if instance is None or is_locked(run_dir / "plano.lock"):
        return instance if instance and is_running(instance.pid, instance.start_mark) else None
    left = {process.name for process in orphans(instance)}
    if not left:
        return None
    processes = tuple(process if process.name in left else _ended(process) for process in instance.processes)
    return replace(instance, phase=Phase.ABANDONED, processes=processes)


def _ended(process: ProcessView) -> ProcessView:
    return replace(process, state=ProcessState.STOPPED, pid=None, started_at=None)


def _view(served: ServedListener) -> ListenerView:
    url = reachable_url(served.address, served.port, has_tls=served.has_tls)
    return ListenerView(name=served.name, kind=served.kind, url=url, serves=served.serves)


async def _ask(overview: Overview, instance: Instance, listeners: tuple[ListenerView, ...]) -> Overview:
    async with local_client() as client, admin_client(instance.admin_socket) as admin, asyncio.TaskGroup() as tasks:
        answers = [(listener, tasks.create_task(is_healthy(client, listener.url))) for listener in listeners]
        upstreams = tasks.create_task(ask_envoy(admin))
        failovers = tasks.create_task(ask_ext_proc(client, instance.metrics_url))
    return replace(
        overview,
        listeners=tuple(ListenerHealth(listener=listener, healthy=answer.result()) for listener, answer in answers),
        upstreams=upstreams.result(),
        failovers=failovers.result(),
    )
