"""Problems as lines that editors can jump to, and as JSON."""

import json

import pytest

from control_plane.errors import Problem
from control_plane.report.problems import problem_line, problems_json, problems_text

UNKNOWN = Problem(path="listeners[0].agents[1].id", code="unknown-agent", message="no agent `x`", line=14, file="plano.yaml")


@pytest.mark.parametrize(
    ("problem", "line"),
    [
        (UNKNOWN, "plano.yaml:14: listeners[0].agents[1].id: no agent `x` [unknown-agent]"),
        (Problem(path="", code="empty", message="is empty", file="plano.yaml"), "plano.yaml: is empty [empty]"),
        (Problem(path="version", code="missing", message="is missing"), "version: is missing [missing]"),
    ],
)
def test_lines_have_what_is_known(problem: Problem, line: str) -> None:
    assert problem_line(problem) == line


def test_warnings_are_marked_and_both_counted() -> None:
    lines = list(problems_text((UNKNOWN, UNKNOWN), (UNKNOWN,)))
    assert [line.startswith("warning: ") for line in lines] == [False, False, True, False]
    assert lines[-1] == "2 problems, 1 warning"


def test_json_for_programs() -> None:
    fields = {"file": "plano.yaml", "line": 14, "path": UNKNOWN.path, "code": "unknown-agent", "message": "no agent `x`"}
    assert json.loads(problems_json((UNKNOWN,), ())) == {"problems": [fields], "warnings": []}
