"""Whose turn it is: a passing failure is tried again with the same model, a silence is not, and everybody has a turn."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.attempt.failover_policy import AttemptHistory, ejected_last, in_order, read_history, select_member
from ext_proc.attempt.failures import Failure
from ext_proc.plan.targets import Member
from protos.contract.headers import BOUNDS_HEADER
from protos.contract.metadata import METADATA_ATTEMPTED, METADATA_BOUNDS, METADATA_FAILURE, METADATA_ORDER, METADATA_SENT_AT

A, B, C = (Member(name, "chat_completions") for name in "abc")
CHAIN = (A, B, C)


def turn(*attempted: str, **history: object) -> str | None:
    made = AttemptHistory(number=len(attempted) + 1, attempted=attempted, **history)  # type: ignore[arg-type]
    member = select_member(ejected_last(CHAIN, made), made)
    return member.model if member else None


@pytest.mark.parametrize(
    ("attempted", "history", "expected"),
    [
        ("a", {"is_transient": True}, "a"),
        ("a", {}, "b"),
        ("aa", {"is_transient": True}, "b"),
        ("aab", {"is_transient": True}, "b"),
        ("aabbcc", {"is_transient": True}, "a"),
        ("abc", {}, "a"),
        ("ab", {"timed_out": ("a", "b")}, "c"),
        ("abc", {"timed_out": ("a", "c")}, "b"),
        ("abc", {"timed_out": ("a", "b", "c")}, None),
        ("ab", {"too_long_for": ("a", "b", "c")}, None),
        ("a", {"is_transient": True, "too_long_for": ("a",)}, "b"),
        ("a", {"is_transient": True, "retries": 3}, "a"),
        ("a", {"is_transient": True, "retries": 2}, "b"),
    ],
)
def test_the_same_again_then_the_next_then_around(attempted: str, history: dict[str, object], expected: str | None) -> None:
    assert turn(*attempted, **history) == expected


def test_who_was_passed_over_comes_last() -> None:
    assert turn() == "b"
    assert turn("b") == "c"
    assert turn("b", "c") == "a"


def test_decide_may_ask_for_another_order() -> None:
    assert in_order(CHAIN, {}) == CHAIN
    assert in_order(CHAIN, {METADATA_ORDER: "a()c"}) == (A, C, B)


def history(failure: str = Failure.UNANSWERED, *, seconds: float = 0.1, bounds: str = "-;5;30", **told: str) -> AttemptHistory:
    said = {
        METADATA_ATTEMPTED: "a",
        METADATA_FAILURE: failure,
        METADATA_SENT_AT: "1000.000",
        METADATA_BOUNDS: bounds,
        **told,
    }
    return read_history({}, said, first="a", number=2, now=1000.0 + seconds)


@pytest.mark.parametrize(
    ("read", "is_transient", "timed_out"),
    [
        (history(), True, ()),
        (history(seconds=29), False, ("a",)),
        (history(seconds=0.5, bounds="-;5;0.5"), False, ("a",)),
        (history(seconds=0.2, bounds="-;5;0.5"), True, ()),
        (history(Failure.UPSTREAM_ERROR), True, ()),
        (history(Failure.UPSTREAM_ERROR, seconds=10), False, ()),
        (history(Failure.UPSTREAM_ERROR, wait="7"), False, ()),
        (history(Failure.RATE_LIMITED), False, ()),
    ],
)
def test_what_has_failed_quickly_may_have_passed(read: AttemptHistory, is_transient: bool, timed_out: tuple[str, ...]) -> None:
    assert (read.is_transient, read.timed_out) == (is_transient, timed_out)


def test_a_connection_that_is_refused_leaves_no_word() -> None:
    read = read_history({}, {}, first="a", number=2, now=1000)
    assert (read.attempted, read.failure, read.is_transient, read.timed_out) == (("a",), "unanswered", True, ())


def test_a_caller_bounds_time_and_retries() -> None:
    headers = {BOUNDS_HEADER: "1;5;30", "x-envoy-expected-rq-timeout-ms": "200"}
    told = {METADATA_ATTEMPTED: "a", METADATA_FAILURE: "unanswered", METADATA_SENT_AT: "1000"}
    read = read_history(headers, told, first="a", number=2, now=1000.2)
    assert (read.retries, read.timed_out, read.metadata[METADATA_BOUNDS]) == (1, ("a",), "1;5;30")


@given(said=st.sampled_from(["", "x", "nan;inf;-1", "-;3;0", "9" * 40]) | st.text(max_size=8))
def test_bounds_may_say_anything(said: str) -> None:
    read = read_history({BOUNDS_HEADER: said, "x-envoy-expected-rq-timeout-ms": said}, {}, first="a", number=1, now=0)
    assert read.retries >= 0
    assert read.seconds >= 0


FAILURES = st.sampled_from(["passes", "stays", "timed_out", "too long"])


@given(failures=st.lists(FAILURES, max_size=20))
def test_whatever_fails_everybody_has_a_turn_and_nobody_is_waited_for_twice(failures: list[str]) -> None:
    asked, timed_out, long = ["a"], [], []
    for failure in failures:
        last = asked[-1]
        timed_out += [last] if failure == "timed_out" else []
        long += [last] if failure == "too long" else []
        following = turn(*asked, timed_out=tuple(timed_out), too_long_for=tuple(long), is_transient=failure == "passes")
        if following is None:
            assert {*timed_out, *long} == {"a", "b", "c"}
            return
        assert following not in timed_out
        assert following not in long
        asked.append(following)
    for name in asked:
        if asked.count(name) > 2:
            assert {*asked} == {"a", "b", "c"}
