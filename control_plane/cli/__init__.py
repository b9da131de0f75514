"""The `plano` command: each subcommand reads its flags, hands over, and prints what it is given."""

import click

from control_plane.cli.running import down, logs, status, up
from control_plane.cli.unserved import check, dump


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="plano-gateway", prog_name="plano", message="%(prog)s %(version)s")
def main() -> None:
    """A gateway for agents and LLMs on Envoy."""


for command in (up, down, status, logs, check, dump):
    main.add_command(command)
