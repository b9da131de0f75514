"""The detached supervisor: `python -m control_plane.supervisor REPORT_FD REQUEST_FD`, started by detach.py."""

import os
import sys
from contextlib import suppress

from control_plane.supervisor.detach import Report
from control_plane.supervisor.errors import CannotStart
from control_plane.supervisor.instance import Instance
from control_plane.supervisor.request import UpRequest
from control_plane.supervisor.up import run_gateway


def main(arguments: list[str]) -> int:
    """Run the gateway; write to the pipe how the start goes, one line of JSON each, and close it once that is known."""
    report_to, request_from = map(int, arguments)
    pipe = os.fdopen(report_to, "wb", buffering=0)
    with os.fdopen(request_from, "rb") as file:
        request = UpRequest.from_json(file.read())

    def report(news: Report) -> None:
        if pipe.closed:
            return
        with suppress(OSError):  # the reader may have exited
            pipe.write(news.model_dump_json().encode() + b"\n")
        if news.progress is None:
            pipe.close()

    def healthy(instance: Instance) -> None:
        report(Report(healthy=instance))

    def progress(line: str) -> None:
        report(Report(progress=line))

    try:
        run_gateway(request, on_healthy=healthy, tell=progress)
    except CannotStart as error:
        report(Report(cause=str(error)))
        return 1
    report(Report(cause="stopped before it was healthy"))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
