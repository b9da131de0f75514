"""Text and JSON for people and programs at the terminal: problems, and what a gateway serves. Values in, lines out."""

import json
from collections.abc import Iterable, Iterator, Sequence

from control_plane.errors import Problem
from control_plane.supervisor.instance import Instance, ListenerView

SHOWN_NAMES = 6
"""Of what one listener serves; more are counted."""


def problem_line(problem: Problem) -> str:
    """Render `file:line: path: message [code]`, without the parts that are not known."""
    place = f"{problem.file}:{problem.line}" if problem.line is not None else problem.file
    return ": ".join(part for part in (place, problem.path, f"{problem.message} [{problem.code}]") if part)


def problems_text(problems: Sequence[Problem], warnings: Sequence[Problem]) -> Iterator[str]:
    """List problems, then warnings, then how many there are."""
    yield from map(problem_line, problems)
    for warning in warnings:
        yield f"warning: {problem_line(warning)}"
    yield f"{_count(len(problems), 'problem')}, {_count(len(warnings), 'warning')}"


def problems_json(problems: Sequence[Problem], warnings: Sequence[Problem]) -> str:
    """Render the same for programs."""
    return json.dumps({"problems": [*map(_fields, problems)], "warnings": [*map(_fields, warnings)]}, indent=2)


def running_text(instance: Instance, *, run_dir: str, stop_with: str) -> Iterator[str]:
    """Say what runs, where it listens, and how to stop it."""
    yield "Plano is running."
    yield ""
    yield from table([("listener", "url", "serves"), *map(_listener_row, instance.listeners)])
    yield ""
    yield from table(
        [
            ("metrics", instance.metrics_url),
            ("Envoy admin", instance.admin_url),
            ("configuration", instance.config_file),
            ("run dir, logs", run_dir),
        ]
    )
    yield ""
    yield f"Stop with {stop_with}."


def table(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Align columns, two spaces apart and two from the margin."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  " + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()


def serves(listener: ListenerView) -> str:
    """Name what a listener serves, the first few of many."""
    shown, more = listener.serves[:SHOWN_NAMES], len(listener.serves) - SHOWN_NAMES
    names = ", ".join(shown) or "none"
    return f"{listener.kind}s: {names}" + (f" and {more} more" if more > 0 else "")


def _listener_row(listener: ListenerView) -> tuple[str, ...]:
    return listener.name, listener.url, serves(listener)


def _fields(problem: Problem) -> dict[str, str | int | None]:
    return {
        "file": problem.file,
        "line": problem.line,
        "path": problem.path,
        "code": problem.code,
        "message": problem.message,
    }


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")


def join(lines: Iterable[str]) -> str:
    """Make one text of lines."""
    return "\n".join(lines)
