"""`plano up` without `--detach`, once the configuration is read: `python -m control_plane.cli.attached REQUEST_FD`.

It takes the place of the process that has read it, whose memory is ten times what a supervisor needs.
"""

import os
import sys
from functools import partial
from typing import NoReturn

import click

from control_plane.report.running import running_text
from control_plane.supervisor.detach import handed_over
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.up import run_gateway


def become_supervisor(request: UpRequest) -> NoReturn:
    """Continue as the supervisor of a gateway, in the same process."""
    sys.stdout.flush()
    with handed_over(request) as handed:
        os.set_inheritable(handed, True)  # noqa: FBT003
        arguments = [sys.executable, "-P", "-m", "control_plane.cli.attached", str(handed)]
        os.execv(sys.executable, arguments)  # noqa: S606 our own module


def show(request: UpRequest, stop_with: str, instance: Instance) -> None:
    """Say what runs."""
    click.echo("\n".join(running_text(instance, run_dir=str(request.run_dir), stop_with=stop_with)))


def main(handed: int) -> int:
    """Run the gateway until it is stopped; return the exit code."""
    with os.fdopen(handed, "rb") as file:
        request = UpRequest.from_json(file.read())
    try:
        run_gateway(request, on_healthy=partial(show, request, "Ctrl-C"), tell=click.echo)
    except CannotStart as error:
        click.echo(f"plano: {error}", err=True)
        return 1
    click.echo("Stopped.")
    return 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
