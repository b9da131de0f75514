"""Configuration -> IR: what the gateway is, from what the user wrote. Pure; expects a configuration that was checked."""

from control_plane.gateway.gateway import build_gateway
from control_plane.gateway.runtime import Runtime

__all__ = ["Runtime", "build_gateway"]
