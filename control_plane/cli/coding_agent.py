"""`plano cli-agent`: starts a coding agent that asks its models through the gateway."""

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from typing import Any, Final, NoReturn

import click

from control_plane.cli.options import errors_in_words, fail
from control_plane.ir import Gateway, ListenerKind
from control_plane.reading import EXAMPLE_RUNTIME, find_config, read_config
from control_plane.supervisor.instance import reachable_url

SMALL_FAST_ALIAS: Final = "arch.claude.code.small.fast"
"""Of a configuration: the model for Claude Code's small jobs."""
_SMALL_FAST: Final = "ANTHROPIC_SMALL_FAST_MODEL"
_NON_INTERACTIVE: Final = "NON_INTERACTIVE_MODE"
_NOBODYS_KEY: Final = "plano"
"""Agents insist on a key, and a gateway without callers takes any."""
_INSTALL: Final = {"claude": "npm install -g @anthropic-ai/claude-code", "codex": "npm install -g @openai/codex"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How an agent is started."""

    arguments: Sequence[str] = ()
    environment: Mapping[str, str] = field(default_factory=dict)


@click.command("cli-agent", context_settings={"ignore_unknown_options": True})
@click.argument("agent", type=click.Choice(tuple(_INSTALL)))
@click.option(
    "--settings", default="{}", metavar="JSON", help=f"For claude: its settings; {_SMALL_FAST} and {_NON_INTERACTIVE}."
)
@click.option("--path", type=click.Path(file_okay=False, path_type=Path), default=".", help="Where FILE is looked for.")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED, metavar="[FILE] [-- ARGUMENTS]...")
def cli_agent(agent: str, settings: str, path: Path, arguments: tuple[str, ...]) -> None:
    """Start AGENT so that it asks its models through the gateway of FILE (.yaml); ARGUMENTS are the agent's own."""
    file, arguments = _split(arguments)
    with errors_in_words():
        gateway = read_config(find_config(file, path), env=os.environ, runtime=EXAMPLE_RUNTIME).gateway
    url = _model_listener(gateway)
    asked = _settings(settings)
    start = _claude(url, gateway, asked, os.environ) if agent == "claude" else _codex(url, os.environ)
    _become(agent, (*start.arguments, *arguments), {**os.environ, **start.environment, "NO_PROXY": _no_proxy(os.environ)})


def _claude(url: str, gateway: Gateway, settings: Mapping[str, Any], env: Mapping[str, str]) -> Start:
    environment = {
        "ANTHROPIC_BASE_URL": url,
        "ANTHROPIC_AUTH_TOKEN": env.get("ANTHROPIC_AUTH_TOKEN") or _NOBODYS_KEY,
        "ANTHROPIC_API_KEY": "",  # it would be sent to the gateway, which has keys of its own
        "API_TIMEOUT_MS": "600000",
        "DISABLE_TELEMETRY": "true",
        "DISABLE_COST_WARNINGS": "true",
    }
    has_alias = any(alias.name == SMALL_FAST_ALIAS for alias in gateway.filter_config.aliases)
    if small := settings.get(_SMALL_FAST) or (SMALL_FAST_ALIAS if has_alias else ""):
        environment |= {_SMALL_FAST: small, "ANTHROPIC_DEFAULT_HAIKU_MODEL": small}
    if settings.get(_NON_INTERACTIVE):
        environment |= {"CI": "true", "FORCE_COLOR": "0", "TERM": "dumb"}
    own = {name: value for name, value in settings.items() if name not in (_SMALL_FAST, _NON_INTERACTIVE)}
    return Start(arguments=[f"--settings={json.dumps(own)}"] if own else [], environment=environment)


def _codex(url: str, env: Mapping[str, str]) -> Start:
    provider = f'{{name = "Plano", base_url = "{url}/v1", wire_api = "responses", env_key = "OPENAI_API_KEY"}}'
    arguments = ["-c", f"model_providers.plano={provider}", "-c", 'model_provider="plano"']
    return Start(arguments=arguments, environment={"OPENAI_API_KEY": env.get("OPENAI_API_KEY") or _NOBODYS_KEY})


def _split(arguments: tuple[str, ...]) -> tuple[Path | None, tuple[str, ...]]:
    """Part the configuration, which may be left out, from what is the agent's."""
    if arguments and arguments[0].endswith((".yaml", ".yml")):
        return Path(arguments[0]), arguments[1:]
    return None, arguments


def _model_listener(gateway: Gateway) -> str:
    found = next((listener for listener in gateway.listeners if listener.kind is ListenerKind.MODEL), None)
    if found is None:
        fail("plano: the configuration has no model listener for an agent to ask")
    return reachable_url(found.address, found.port)


def _settings(text: str) -> Mapping[str, Any]:
    try:
        settings = json.loads(text)
    except ValueError as error:
        fail(f"plano: --settings is not JSON: {error}")
    if not isinstance(settings, dict):
        fail(f"plano: --settings should be a JSON object; found `{text}`")
    return settings


def _no_proxy(env: Mapping[str, str]) -> str:
    """Name what no proxy may be asked for: the gateway."""
    return ",".join(filter(None, (env.get("NO_PROXY", ""), "127.0.0.1,localhost,::1")))


def _become(agent: str, arguments: Sequence[str], environment: Mapping[str, str]) -> NoReturn:
    program = which(agent, path=environment.get("PATH"))
    if program is None:
        fail(f"plano: {agent} is not installed: `{_INSTALL[agent]}`")
    os.execve(program, [agent, *arguments], environment)  # noqa: S606 the user's own program
