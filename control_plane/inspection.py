"""Reads and translates a configuration file without running anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from control_plane.config.model import PlanoConfig
from control_plane.errors import ConfigError, Problem
from control_plane.gateway import Runtime
from control_plane.ir import Gateway
from control_plane.reading import read_config
from control_plane.xds import InconsistentGateway, Resources, translate


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One configuration as gateway and as resources."""

    config: PlanoConfig
    gateway: Gateway
    resources: Resources
    warnings: tuple[Problem, ...]


def inspect_file(file: Path, *, env: Mapping[str, str], runtime: Runtime) -> Inspection:
    """Read and translate. Raises ConfigError with all problems, NoConfigFile if the file cannot be read."""
    reading = read_config(file, env=env, runtime=runtime)
    try:
        resources = translate(reading.gateway)
    except InconsistentGateway as error:
        raise ConfigError(tuple(_defect(problem, file) for problem in error.problems), reading.warnings) from error
    return Inspection(config=reading.config, gateway=reading.gateway, resources=resources, warnings=reading.warnings)


def _defect(message: str, file: Path) -> Problem:
    return Problem(
        path="", code="inconsistent-gateway", message=f"{message} (a defect of plano, please report it)", file=str(file)
    )
