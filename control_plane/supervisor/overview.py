"""`plano status`: one look at an instance from outside, put together from its state files and its listeners' health."""

import asyncio
from dataclasses import dataclass
from pathlib import Path

from control_plane.status import ServedListener, Status, read_status
from control_plane.supervisor.admin import is_healthy, local_client
from control_plane.supervisor.instance import Instance, ListenerView, Phase, ProcessState, reachable_url, read_instance
from control_plane.supervisor.lock import is_locked


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerHealth:
    """One listener, and what its /healthz said."""

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
    """What the control plane says of the configuration; None if it has not said anything yet."""

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
    """Look at what runs in a run dir."""
    instance = read_instance(run_dir / "plano.json") if is_locked(run_dir / "plano.lock") else None
    if instance is None:
        return Overview(run_dir=str(run_dir), instance=None)
    status = read_status(run_dir / "status.json")
    views = tuple(map(_view, status.listeners)) if status else instance.listeners  # a reload may have changed them
    return Overview(run_dir=str(run_dir), instance=instance, listeners=asyncio.run(_ask(views)), status=status)


def _view(served: ServedListener) -> ListenerView:
    url = reachable_url(served.address, served.port)
    return ListenerView(name=served.name, kind=served.kind, url=url, serves=served.serves)


async def _ask(listeners: tuple[ListenerView, ...]) -> tuple[ListenerHealth, ...]:
    async with local_client() as client, asyncio.TaskGroup() as tasks:
        answers = [(listener, tasks.create_task(is_healthy(client, listener.url))) for listener in listeners]
    return tuple(ListenerHealth(listener=listener, healthy=answer.result()) for listener, answer in answers)
