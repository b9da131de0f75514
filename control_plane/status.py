"""The state of the control plane as one value, and the file from which `plano status` reads it. It contains no secrets.

The file is written completely and then renamed, so that readers never see a partial state.
"""

import os
import tempfile
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from control_plane.errors import Problem


class ConfigState(StrEnum):
    """The state of the configuration on disk."""

    OK = "ok"
    """It is served."""
    INVALID = "invalid"
    """It has problems; the last good one is served."""
    REJECTED = "rejected"
    """Envoy or ext_proc refused it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServedListener:
    """A port that clients connect to, and the names of the agents or models behind it."""

    name: str
    kind: str
    address: str
    port: int
    serves: tuple[str, ...]
    has_tls: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStatus:
    """A connected Envoy or ext_proc worker."""

    node_id: str
    role: str
    acked: dict[str, str]
    """Short name of a resource type -> acknowledged version."""
    refused: dict[str, str]
    """Short name of a resource type -> error of the last rejected response."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """Everything that `plano status` shows about the configuration."""

    config_file: str
    state: ConfigState
    version: str
    """Version of the configuration that is served: the last good one."""
    tried_version: str
    """Version of the configuration on disk; empty if it is invalid."""
    loaded_at: str
    """When the file was last read, ISO 8601."""
    published_at: str
    """When the served configuration was published."""
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    listeners: tuple[ServedListener, ...] = ()
    clients: tuple[ClientStatus, ...] = ()


_STATUS = TypeAdapter(Status)


def write_status(status: Status, file: Path) -> None:
    """Replace the file; only its owner can read it."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")  # made with mode 0600
    try:
        with os.fdopen(handle, "wb") as temporary:
            temporary.write(_STATUS.dump_json(status, indent=2))
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def read_status(file: Path) -> Status | None:
    """Return the content of the file; None if it is missing, or written by another version."""
    try:
        return _STATUS.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return None
