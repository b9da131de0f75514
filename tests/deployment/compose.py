"""Reads docker-compose.yaml as the tests need it: parsed, with the environment of a user who set the keys."""

import json
import re
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
AGENTS = {"weather-agent": "weather_agent", "flight-agent": "flight_agent", "currency-agent": "currency_agent"}
"""Compose service -> agent id."""


@cache
def compose() -> dict[str, Any]:
    """Return the compose file."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
    return loaded


@cache
def schema() -> dict[str, Any]:
    """Return the Compose specification's own schema."""
    text = files("check_jsonschema.builtin_schemas.vendor").joinpath("compose-spec.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def service(name: str) -> dict[str, Any]:
    """Return one service."""
    found: dict[str, Any] = compose()["services"][name]
    return found


def options(name: str) -> dict[str, str]:
    """Return the `--name=value` arguments of a service's command."""
    pairs = (word.removeprefix("--").partition("=") for word in service(name)["command"] if word.startswith("--"))
    return {option: value for option, _, value in pairs}


def image(name: str) -> str:
    """Return the image that a variable of the compose file stands for, unless it is set."""
    found = re.search(rf"\$\{{{name}:-([^}}]+)\}}", (ROOT / "docker-compose.yaml").read_text(encoding="utf-8"))
    assert found
    return found[1]


def port(address: str) -> int:
    """Return the port of an address or a URL."""
    return int(address.rpartition(":")[2].partition("/")[0])


@cache
def bootstrap() -> dict[str, Any]:
    """Return the bootstrap that Envoy's image contains."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "envoy/bootstrap.yaml").read_text(encoding="utf-8"))
    return loaded
