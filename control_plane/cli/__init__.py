"""The `plano` command: each subcommand parses its flags, calls the implementation, and prints the result."""

from importlib import import_module
from typing import Final

import click

_MODULES: Final = {
    "up": "running",
    "down": "running",
    "status": "running",
    "logs": "running",
    "check": "offline",
    "dump": "offline",
    "eval": "evaluation",
    "init": "starting",
    "keys": "keys",
    "cli-agent": "coding_agent",
    "completion": "starting",
}


class _Commands(click.Group):
    """Imports a command when it is used, because Envoy's API takes long to import."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in _MODULES:
            return None
        module = import_module(f"{__name__}.{_MODULES[cmd_name]}")
        command: click.Command = getattr(module, "eval_" if cmd_name == "eval" else cmd_name.replace("-", "_"))
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="plano-gateway", prog_name="plano", message="%(prog)s %(version)s")
@click.option("-v", "--verbose", is_flag=True, help="Show what is behind an error, too.")
@click.pass_context
def main(ctx: click.Context, *, verbose: bool) -> None:
    """A gateway for agents and LLMs on Envoy."""
    ctx.obj = verbose
