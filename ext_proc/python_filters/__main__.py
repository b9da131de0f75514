"""`python -m ext_proc.python_filters`: runs Python filters for one worker, by frames on its standard input and output.

The first frame names the functions; with `--check` they are imported, what is wrong with them is said, and that is all.
"""

import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Any, BinaryIO, Final

from ext_proc.python_filters.frames import read_frame, write_frame
from ext_proc.python_filters.functions import Function, Mistake, add_folder, describe, find_function, status_of

_THREADS: Final = 16
"""How many calls may wait for something at the same time; only one of them computes."""


def main() -> None:
    """Serve until standard input ends, which is the end of the worker."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # For the master to deal with.
    source, sink = sys.stdin.buffer, _own_output()
    settings = read_frame(source) or {}
    add_folder(settings.get("folder", ""))
    functions, mistakes = _find(settings.get("functions", {}))
    if "--check" in sys.argv:
        sink.write(write_frame(mistakes))
        sink.flush()
        return
    _serve(source, sink, functions, mistakes)


def _own_output() -> BinaryIO:
    """Keep standard output for frames: what users print goes where errors do."""
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    return sink


def _find(references: dict[str, str]) -> tuple[dict[str, Function], dict[str, str]]:
    functions: dict[str, Function] = {}
    mistakes: dict[str, str] = {}
    for filter_id, reference in references.items():
        try:
            functions[filter_id] = find_function(reference)
        except Mistake as mistake:
            mistakes[filter_id] = str(mistake)
    return functions, mistakes


def _serve(source: BinaryIO, sink: BinaryIO, functions: dict[str, Function], mistakes: dict[str, str]) -> None:
    lock = Lock()

    def answer(call: dict[str, Any]) -> None:
        filter_id = call["filter"]
        known = functions.get(filter_id)
        said = _run(known, call) if known else {"error": mistakes.get(filter_id, "no such filter")}
        with lock:
            sink.write(write_frame({"id": call["id"], **said}))
            sink.flush()

    pool = ThreadPoolExecutor(_THREADS)
    while (call := read_frame(source)) is not None:
        pool.submit(answer, call)
    os._exit(0)  # Whatever a function still does.


def _run(function: Function, call: dict[str, Any]) -> dict[str, Any]:
    try:
        body = function.run(call)
        if body is not None and not isinstance(body, dict):
            return {"error": f"returned a {type(body).__name__}, not a dict or None"}
        write_frame(body)
    except BaseException as error:  # noqa: BLE001 - one call's failure, whatever it is
        status = status_of(error)
        if status is not None:
            return {"status": status, "message": str(getattr(error, "detail", "") or error)}
        return {"error": describe(error)}
    return {"body": body}


if __name__ == "__main__":
    main()
