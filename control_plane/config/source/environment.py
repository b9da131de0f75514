"""The environment for expanding values: `.env` beside the configuration, overridden by the process environment."""

from collections.abc import Mapping
from pathlib import Path

from dotenv import dotenv_values

from control_plane.errors import ConfigError, Problem


def environment(config_file: Path, process_env: Mapping[str, str]) -> dict[str, str]:
    """Merge the `.env` beside a configuration file with the process environment; raise ConfigError if it cannot be read."""
    file = config_file.parent / ".env"
    try:
        from_file = dotenv_values(file, interpolate=False) if file.is_file() else {}
    except (OSError, UnicodeError) as error:
        message = "cannot be read" if isinstance(error, OSError) else "should be UTF-8 text"
        raise ConfigError((Problem(path="", code="unreadable-env-file", message=message, file=str(file)),)) from None
    return {name: value for name, value in from_file.items() if value is not None} | dict(process_env)
