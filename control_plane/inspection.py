"""What a configuration file comes to, without running anything: checked, built and translated, or every problem that it has."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from control_plane import config
from control_plane.build import Runtime, build_gateway
from control_plane.config.model import PlanoConfig
from control_plane.errors import ConfigError, Problem
from control_plane.ir.model import Gateway
from control_plane.xds import InconsistentGateway, Resources, translate

DEFAULT_FILES = ("plano_config.yaml", "config.yaml")
STDIN = Path("-")
EXAMPLE_RUNTIME = Runtime(
    egress_address="unix:///run/plano/egress.sock",
    egress_url="unix:///run/plano/egress.sock",
    access_log_path="/dev/stdout",
)
"""For looking at a configuration that is not run."""


class NoConfigFile(Exception):
    """There is no file to read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inspection:
    """One configuration, in every form that it takes."""

    config: PlanoConfig
    gateway: Gateway
    resources: Resources
    warnings: tuple[Problem, ...]


def find_config(file: Path | None, folder: Path) -> Path:
    """Return the file named, or the one that a folder has."""
    if file is not None:
        return file
    for name in DEFAULT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise NoConfigFile(f"no configuration: name a FILE, or have {' or '.join(DEFAULT_FILES)} in {folder}")


def inspect_file(file: Path, *, env: Mapping[str, str], runtime: Runtime) -> Inspection:
    """Load, check, build and translate. Raises ConfigError with all problems, NoConfigFile if the file cannot be read."""
    loaded = config.load(_read(file), env=config.environment(file, env), file=str(file))
    gateway = build_gateway(loaded.config, runtime=runtime)
    try:
        resources = translate(gateway)
    except InconsistentGateway as error:
        raise ConfigError(tuple(_defect(problem, file) for problem in error.problems), loaded.warnings) from error
    return Inspection(config=loaded.config, gateway=gateway, resources=resources, warnings=loaded.warnings)


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        raise NoConfigFile(f"cannot read {file}: {error.strerror}") from error


def _defect(message: str, file: Path) -> Problem:
    return Problem(
        path="", code="inconsistent-gateway", message=f"{message} (a defect of plano, please report it)", file=str(file)
    )
