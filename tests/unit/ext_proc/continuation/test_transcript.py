import pytest

from ext_proc.continuation.transcript import Mismatch, Transcript


def test_what_is_said_again_is_not_new() -> None:
    transcript = Transcript()
    assert transcript.take("text", "It rains.") == "It rains."
    transcript.begin()
    assert not transcript.caught_up
    assert transcript.take("text", "It rains. Still.") == " Still."
    assert transcript.caught_up
    transcript.begin()
    with pytest.raises(Mismatch):
        transcript.take("text", "It snows.")


def test_an_answer_that_is_too_long_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ext_proc.continuation.transcript._MOST_BYTES", 1000)
    transcript = Transcript()
    for _ in range(100):
        assert transcript.take("text", "word ") == "word "
    assert transcript.is_full
    assert (transcript.caught_up, transcript.sent()) == (True, {})
