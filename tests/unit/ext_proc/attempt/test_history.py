import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.attempt.client_error import ClientError
from ext_proc.attempt.failures import Failure
from ext_proc.attempt.history import AttemptHistory, load_history
from ext_proc.attempt.record import CANNOT_CARRY

NAMES = st.lists(st.text(max_size=5), max_size=3).map(tuple)


@given(
    history=st.builds(
        AttemptHistory,
        attempted=NAMES,
        failure=st.text(),
        is_transient=st.booleans(),
        too_long_for=NAMES,
        timed_out=NAMES,
        error=st.none() | st.builds(ClientError, status=st.integers(400, 599), body=st.text(), retry_after=st.text()),
    )
)
def test_what_is_written_is_read(history: AttemptHistory) -> None:
    assert "\n" not in history.dump()
    assert history.dump().isascii()
    assert load_history(history.dump()) == history


def test_at_first_there_is_none() -> None:
    assert load_history("") == AttemptHistory()


def test_nothing_is_known_of_what_another_version_has_written() -> None:
    assert load_history('{"attempted":["a"],"other":1}') == AttemptHistory()


@pytest.mark.parametrize(
    ("failure", "seconds", "allowed", "is_transient", "timed_out"),
    [
        (Failure.UNANSWERED, 0.1, 30, True, ()),
        (Failure.UNANSWERED, 29, 30, False, ("a",)),
        (Failure.UNANSWERED, 0.5, 0.5, False, ("a",)),
        (Failure.UNANSWERED, 0.2, 0.5, True, ()),
        (Failure.UPSTREAM_ERROR, 0.1, 30, True, ()),
        (Failure.UPSTREAM_ERROR, 10, 30, False, ()),
        (Failure.RATE_LIMITED, 0.1, 30, False, ()),
    ],
)
def test_what_has_failed_quickly_is_transient(
    failure: Failure, seconds: float, allowed: float, is_transient: bool, timed_out: tuple[str, ...]
) -> None:
    history = AttemptHistory().after("a", failure, seconds=seconds, allowed=allowed)
    assert (history.attempted, history.failure) == (("a",), failure)
    assert (history.is_transient, history.timed_out) == (is_transient, timed_out)


def test_what_asks_to_wait_is_not_transient() -> None:
    waits = AttemptHistory().after("a", Failure.UPSTREAM_ERROR, seconds=0.1, allowed=30, asks_to_wait=True)
    assert not waits.is_transient


def test_what_cannot_be_bettered_is_not_asked_again() -> None:
    history = AttemptHistory().after("a", Failure.CONTEXT_LENGTH, seconds=0, allowed=30)
    history = history.after("b", CANNOT_CARRY, seconds=0, allowed=30)
    assert (history.last, set(history.excluded)) == ("b", {"a", "b"})
