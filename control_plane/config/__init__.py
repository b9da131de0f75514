"""Configuration: parses plano_config.yaml to a checked, immutable PlanoConfig, or reports all of its problems."""

from control_plane.config.loader import Loaded, load
from control_plane.config.model import PlanoConfig
from control_plane.config.source.environment import environment

__all__ = ["Loaded", "PlanoConfig", "environment", "load"]
