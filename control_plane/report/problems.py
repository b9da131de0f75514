"""Problems of a configuration, one line each as compilers print them, or as JSON."""

import json
from collections.abc import Iterator, Sequence

from control_plane.errors import Problem


def problem_line(problem: Problem) -> str:
    """Render `file:line: path: message [code]`, without unknown parts."""
    place = f"{problem.file}:{problem.line}" if problem.line is not None else problem.file
    return ": ".join(part for part in (place, problem.path, f"{problem.message} [{problem.code}]") if part)


def problems_text(problems: Sequence[Problem], warnings: Sequence[Problem]) -> Iterator[str]:
    """List problems, then warnings, then their number."""
    yield from map(problem_line, problems)
    for warning in warnings:
        yield f"warning: {problem_line(warning)}"
    yield f"{_count(len(problems), 'problem')}, {_count(len(warnings), 'warning')}"


def problems_json(problems: Sequence[Problem], warnings: Sequence[Problem]) -> str:
    """Render the same for programs."""
    return json.dumps({"problems": [*map(_fields, problems)], "warnings": [*map(_fields, warnings)]}, indent=2)


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
