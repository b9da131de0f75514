"""Which model is asked: transient failures are retried on the same model, timeouts are not, and everybody is asked."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.attempt.failover_policy import Bounds, complete, in_order, read_bounds, select_member
from ext_proc.attempt.history import AttemptHistory
from ext_proc.plan.targets import Member
from protos.contract.metadata import METADATA_ORDER

A, B, C = (Member(name, "chat_completions") for name in "abc")
CHAIN = (A, B, C)
UNAVAILABLE = AttemptHistory()


def selected(attempted: str, *, retries: int = 1000, **told: object) -> str | None:
    history = AttemptHistory(attempted=tuple(attempted), **told)  # type: ignore[arg-type]
    member = select_member(CHAIN, history, left=Bounds(retries).left(len(attempted) + 1))
    return member.model if member else None


@pytest.mark.parametrize(
    ("attempted", "told", "expected"),
    [
        ("", {}, "a"),
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
        ("ab", {"cannot_carry": ("b",)}, "c"),
        ("a", {"is_transient": True, "too_long_for": ("a",)}, "b"),
        ("a", {"is_transient": True, "retries": 3}, "a"),
        ("a", {"is_transient": True, "retries": 2}, "b"),
    ],
)
def test_the_same_again_then_the_next_then_around(attempted: str, told: dict[str, object], expected: str | None) -> None:
    assert selected(attempted, **told) == expected  # type: ignore[arg-type]


def test_the_only_model_is_asked_whatever_it_did() -> None:
    silent = AttemptHistory(attempted=("a",), timed_out=("a",))
    assert select_member((A,), silent, left=1) == A


def test_decide_may_ask_for_another_order() -> None:
    assert in_order(CHAIN, {}) == CHAIN
    assert in_order(CHAIN, {METADATA_ORDER: "a()c"}) == (A, C, B)


def test_attempts_that_left_no_word_were_made_where_they_should_have_been() -> None:
    bounds = Bounds(retries=5, seconds=30)
    assert complete(UNAVAILABLE, CHAIN, bounds, ()) == complete(UNAVAILABLE, CHAIN, bounds, (10.0,)) == UNAVAILABLE
    quick = complete(UNAVAILABLE, CHAIN, bounds, (10.0, 10.1))
    assert (quick.attempted, quick.failure, quick.is_transient, quick.timed_out) == (("a",), "unanswered", True, ())
    late = complete(UNAVAILABLE, CHAIN, bounds, (10.0, 10.1, 40.0))
    assert (late.attempted, late.timed_out) == (("a", "a"), ("a",))
    told = AttemptHistory(attempted=("a",), failure="rate_limited")
    assert complete(told, CHAIN, bounds, (10.0, 10.1, 40.2)).timed_out == ("b",)


def test_the_wait_between_attempts_is_no_silence() -> None:
    told = AttemptHistory(attempted=("a", "a"), failure="upstream_error")
    # The third one may have waited for 0.7 s.
    assert complete(told, CHAIN, Bounds(seconds=2), (10, 10.2, 10.5, 12.1)).is_transient
    assert not complete(told, CHAIN, Bounds(seconds=2), (10, 10.2, 10.5, 12.5)).is_transient


@pytest.mark.parametrize(
    ("text", "retries", "seconds"), [("-;5;30", 5, 30), ("1;5;0.2", 1, 0.2), ("", 1000, 1000), ("2;5;0", 2, 1000)]
)
def test_a_caller_bounds_retries(text: str, retries: int, seconds: float) -> None:
    assert read_bounds(text) == Bounds(retries, seconds)


@given(said=st.sampled_from(["", "x", "nan;inf;-1", "-;3;0", "9" * 40]) | st.text(max_size=8))
def test_bounds_may_say_anything(said: str) -> None:
    read = read_bounds(said)
    assert read.retries >= 0
    assert read.seconds > 0


FAILURES = st.sampled_from(["transient", "stays", "timed out", "too long"])


@given(failures=st.lists(FAILURES, max_size=20))
def test_whatever_fails_everybody_is_asked_and_nobody_is_waited_for_twice(failures: list[str]) -> None:
    asked, late, long = "a", [], []
    for failure in failures:
        late += [asked[-1]] if failure == "timed out" else []
        long += [asked[-1]] if failure == "too long" else []
        told = {"timed_out": tuple(late), "too_long_for": tuple(long), "is_transient": failure == "transient"}
        following = selected(asked, **told)  # type: ignore[arg-type]
        if following is None:
            assert {*late, *long} == {"a", "b", "c"}
            return
        assert following not in {*late, *long}
        asked += following
    for name in asked:
        if asked.count(name) > 2:
            assert {*asked} == {"a", "b", "c"}
