"""Configuration -> IR: what the gateway is, from what the user wrote. Pure; expects a configuration that was checked."""

from control_plane.build.gateway import build_gateway
from control_plane.build.runtime import Runtime

__all__ = ["Runtime", "build_gateway"]
