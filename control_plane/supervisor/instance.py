"""`plano.json`: what a supervisor tells the other commands about itself. Replaced as a whole at each change."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError


class Phase(StrEnum):
    """How far an instance is."""

    STARTING = "starting"
    HEALTHY = "healthy"
    STOPPING = "stopping"
    ABANDONED = "abandoned"
    """The supervisor was killed; what it started goes on without it."""


class ProcessState(StrEnum):
    """How a child is."""

    RUNNING = "running"
    RESTARTING = "restarting"
    STOPPED = "stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessView:
    """One child, as `plano status` shows it."""

    name: str
    state: ProcessState
    pid: int | None
    start_mark: str = ""
    """Tells the process from another one that has its pid later."""
    started_at: float | None
    """Seconds since the epoch; None while it does not run."""
    restarts: int
    last_exit: str | None
    """How it ended the last time: `exit code 1`, `killed by SIGKILL`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerView:
    """One listener that clients connect to."""

    name: str
    kind: str
    url: str
    serves: tuple[str, ...]
    """Ids of agents, or names of models and aliases."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One running gateway."""

    pid: int
    start_mark: str
    """Tells the supervisor from another process that has its pid later."""
    phase: Phase
    started_at: float
    config_file: str
    sockets: str
    admin_socket: str
    """Path of the socket of Envoy's admin interface."""
    stats_url: str
    """Envoy's statistics, for Prometheus."""
    metrics_url: str
    listeners: tuple[ListenerView, ...]
    processes: tuple[ProcessView, ...]


_JSON = TypeAdapter(Instance)
_WILDCARDS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 looked up, not bound


def reachable_url(address: str, port: int, *, has_tls: bool = False) -> str:
    """Return where a listener can be reached from this machine."""
    host = _WILDCARDS.get(address, address)
    scheme = "https" if has_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def write_instance(path: Path, instance: Instance) -> None:
    """Replace the file in one step: a reader sees the old one or the new one."""
    draft = path.with_suffix(".tmp")
    draft.write_bytes(_JSON.dump_json(instance, indent=2) + b"\n")
    os.replace(draft, path)


def read_instance(path: Path) -> Instance | None:
    """Return what the file says; None if there is none, or none that can be read."""
    try:
        return _JSON.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
