"""Figures of an evaluation, counted by hand."""

import json

from control_plane.evaluation import Case, Outcome
from control_plane.report.evaluation import accuracy, evaluation_json, evaluation_text, figures


def outcome(expect: str, named: str, rung: str = "semantic", milliseconds: float = 10) -> Outcome:
    return Outcome(Case(1, (), tuple(expect.split())), tuple(named.split()), rung, "score", milliseconds / 1_000)


OUTCOMES = [
    outcome("a", "a"),
    outcome("a", "b"),
    outcome("a b", "b a"),
    outcome("a b", "a", "built_in_router"),
    outcome("b", "", "nothing_fits", 20),
    outcome("", "", "nothing_fits", 30),
    outcome("", "a"),
]


def test_shares() -> None:
    known = figures(OUTCOMES)
    assert known["accuracy"] == accuracy(OUTCOMES) == round(3 / 7, 4)
    assert known["in_scope"] == {"conversations": 5, "accuracy": 0.4, "first_accuracy": 0.6}
    assert known["out_of_scope"] == {"conversations": 2, "recall": 0.5, "precision": 0.5}
    assert known["rungs"]["nothing_fits"] == {"conversations": 2, "accuracy": 0.5}
    assert known["latency_ms"] == {"p50": 10, "p99": 30}
    assert known["confusion"] == {
        "(nothing)": {"(nothing)": 1, "a": 1},
        "a": {"a": 1, "b": 1},
        "a + b": {"a": 1, "a + b": 1},
        "b": {"(nothing)": 1},
    }
    assert [mistake["decided"] for mistake in known["mistakes"]] == [("b",), ("a",), (), ("a",)]


def test_shares_of_nothing_are_none() -> None:
    known = figures([outcome("a", "a")])
    assert known["out_of_scope"] == {"conversations": 0, "recall": None, "precision": None}
    assert "-" in "\n".join(evaluation_text([outcome("a", "a")]))


def test_people_and_programs_read_the_same() -> None:
    text = "\n".join(evaluation_text(OUTCOMES))
    assert text.startswith("7 conversations, 42.9 % decided right\n")
    assert "latency  p50 10.0 ms, p99 30.0 ms" in text
    assert json.loads(evaluation_json(OUTCOMES))["in_scope"]["first_accuracy"] == 0.6
