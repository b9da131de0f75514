"""Configuration -> IR. Pure; expects a configuration that has passed all checks."""

from control_plane.gateway.gateway import build_gateway
from control_plane.gateway.runtime import Runtime

__all__ = ["Runtime", "build_gateway"]
