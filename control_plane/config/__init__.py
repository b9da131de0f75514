"""Configuration: from the text of plano_config.yaml to a checked, immutable PlanoConfig, or to every problem that it has."""

from control_plane.config.loader import Loaded, load
from control_plane.config.model import PlanoConfig
from control_plane.config.source.environment import environment

__all__ = ["Loaded", "PlanoConfig", "environment", "load"]
