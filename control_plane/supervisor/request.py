"""The parameters of `plano up`, passed from the process that has read the configuration to the supervisor, which has not."""

import os
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from control_plane.supervisor.instance import ListenerView
from control_plane.supervisor.log_rotation import LogLimits
from control_plane.supervisor.ports import PortClaim


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What the supervisor must know of a configuration. Reading one takes 40 MB, which it would hold as long as it lives."""

    listeners: tuple[ListenerView, ...]
    claims: tuple[PortClaim, ...]
    """Every TCP port that the gateway will listen on."""
    metrics_port: int
    control_plane_metrics_port: int
    admin_port: int
    log_limits: LogLimits
    signs_for_aws: bool = False
    """Whether Envoy needs AWS credentials."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpRequest:
    """The gateway to run."""

    config_file: Path
    run_dir: Path
    workers: int
    """Processes of ext_proc."""
    timeout_seconds: float
    """Until it must be healthy."""
    summary: Summary

    def to_json(self) -> bytes:
        """Serialise the request."""
        return _JSON.dump_json(self)

    @classmethod
    def from_json(cls, text: bytes) -> "UpRequest":
        """Read what `to_json` wrote."""
        return _JSON.validate_json(text)


_JSON: TypeAdapter[UpRequest] = TypeAdapter(UpRequest)


def available_cpus() -> int:
    """Return how many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
