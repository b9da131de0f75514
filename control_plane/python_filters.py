"""Imports the functions of Python filters in a separate process, like ext_proc, and reports their problems."""

import json
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from control_plane.config.check.finding import Finding
from control_plane.config.model import PlanoConfig

_SECONDS: Final = 30.0
_COMMAND: Final = (sys.executable, "-P", "-m", "ext_proc.python_filters", "--check")


def importing_from(folder: Path) -> Callable[[PlanoConfig], Iterator[Finding]]:
    """Return the check of a configuration that lies in a folder."""

    def check_functions(config: PlanoConfig) -> Iterator[Finding]:
        functions = {step.id: step.callable for step in config.filters if step.type == "python" and step.callable}
        mistakes = _mistakes(folder, functions) if functions else {}
        for index, step in enumerate(config.filters):
            if step.id in mistakes:
                yield Finding(("filters", index, "callable"), "bad-python-filter", mistakes[step.id])

    return check_functions


def _mistakes(folder: Path, functions: dict[str, str]) -> dict[str, str]:
    settings = json.dumps({"folder": str(folder), "functions": functions}).encode()
    try:
        done = subprocess.run(  # noqa: S603 - ourselves
            _COMMAND, input=_frame(settings), stdout=subprocess.PIPE, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return dict.fromkeys(functions, f"took longer than {_SECONDS:g}s to import")
    if len(done.stdout) < struct.calcsize(">I"):
        return dict.fromkeys(functions, f"its import ended the process (status {done.returncode})")
    said: dict[str, str] = json.loads(done.stdout[struct.calcsize(">I") :])
    return said


def _frame(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data
