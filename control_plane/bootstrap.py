"""Envoy's bootstrap as a file of one run dir. The control plane writes it, which has Envoy's API imported anyway."""

import os
from dataclasses import dataclass
from pathlib import Path

from control_plane import ir
from control_plane.config.model import Overrides
from control_plane.xds.bootstrap import build_bootstrap, render_bootstrap

_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BootstrapSettings:
    """Where the bootstrap goes, and what only who starts Envoy knows of it."""

    file: Path
    xds: str
    admin: str
    ext_proc: str
    """Address of the workers; `{worker}` is replaced by their number."""
    workers: int


def write_bootstrap(settings: BootstrapSettings, limits: ir.Limits, overrides: Overrides) -> None:
    """Write what Envoy starts with, readable by us alone. What is there stays: Envoy may have been started with it."""
    if settings.file.exists():
        return
    bootstrap = build_bootstrap(
        node_id="plano",
        xds=settings.xds,
        ext_proc=[settings.ext_proc.replace("{worker}", str(worker)) for worker in range(settings.workers)],
        admin=settings.admin,
        stats=f"{_LOOPBACK}:{overrides.admin_port}",
        max_connections=limits.max_connections,
        max_memory_bytes=overrides.limits.max_memory_bytes,
    )
    draft = settings.file.with_suffix(".tmp")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(render_bootstrap(bootstrap))
    os.replace(draft, settings.file)
