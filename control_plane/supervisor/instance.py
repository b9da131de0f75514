"""`plano.json`: the state of a supervisor, for the other commands. Replaced as a whole at each change."""

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError


class Phase(StrEnum):
    """The phase of an instance."""

    STARTING = "starting"
    HEALTHY = "healthy"
    STOPPING = "stopping"
    ABANDONED = "abandoned"
    """The supervisor was killed; its children continue to run."""


class ProcessState(StrEnum):
    """The state of a child."""

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
    """Start time, which distinguishes the process from later ones with the same pid."""
    started_at: float | None
    """Seconds since the epoch; None while it does not run."""
    restarts: int
    last_exit: str | None
    """How it last ended: `exit code 1`, `killed by SIGKILL`."""


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
    """Start time, which distinguishes the supervisor from later processes with the same pid."""
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
    """Return the URL of a listener on this machine."""
    host = _WILDCARDS.get(address, address)
    scheme = "https" if has_tls else "http"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


def write_instance(path: Path, instance: Instance) -> None:
    """Replace the file in one step: a reader sees the old one or the new one."""
    draft = path.with_suffix(".tmp")
    draft.write_bytes(_JSON.dump_json(instance, indent=2) + b"\n")
    os.replace(draft, path)


def read_instance(path: Path) -> Instance | None:
    """Return the content of the file; None if it is missing or unreadable."""
    try:
        return _JSON.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
