"""The detached supervisor: `python -m control_plane.supervisor REPORT_FD CONFIG RUN_DIR WORKERS`, started by detach.py."""

import os
import sys

from control_plane.errors import ConfigError
from control_plane.reading import NoConfigFile
from control_plane.supervisor.detach import Outcome
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.up import run_gateway


def main(arguments: list[str]) -> int:
    """Run the gateway; write one outcome to the pipe and close it."""
    pipe = os.fdopen(int(arguments[0]), "wb")
    request = UpRequest.from_arguments(arguments[1:])

    def report(outcome: Outcome) -> None:
        if not pipe.closed:
            pipe.write(outcome.model_dump_json().encode())
            pipe.close()

    def healthy(instance: Instance) -> None:
        report(Outcome(healthy=instance))

    try:
        run_gateway(request, on_healthy=healthy, tell=_quiet)
    except (CannotStart, ConfigError, NoConfigFile) as error:
        report(Outcome(cause=str(error)))
        return 1
    report(Outcome(cause="stopped before it was healthy"))
    return 0


def _quiet(_: str) -> None:
    """There is no terminal; the journal has it all."""


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
