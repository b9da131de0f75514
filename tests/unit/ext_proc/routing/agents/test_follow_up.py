import pytest

from ext_proc.routing.agents.follow_up import is_agreement, is_follow_up, question_at_end


@pytest.mark.parametrize(
    "text",
    ["And tomorrow?", "What about Rio de Janeiro?", "how about salt lake city",
     "Is it on time?", "London?", "in Celsius", "Why?",
     "thanks", "tell me more about it", "Explain that", "Any later ones?", "yes", "make it longer"],
)  # fmt: skip
def test_what_needs_what_was_said_before(text: str) -> None:
    assert is_follow_up(text)


@pytest.mark.parametrize(
    "text",
    ["", "hi", "Hello there", "Good morning!", "Write me a poem about cats", "Tell me a joke",
     "What is the capital of Australia?",
     "Write me a haiku about it", "That reminds me, who won the football match", "???"],
)  # fmt: skip
def test_what_stands_on_its_own(text: str) -> None:
    assert not is_follow_up(text)


def test_agreement() -> None:
    assert is_agreement("Yes, please do it!")
    assert not is_agreement("Yes, flights")
    assert not is_agreement("")


@pytest.mark.parametrize(
    ("text", "question"),
    [("Hot. Shall I look for flights? ", " Shall I look for flights"), ("Which?", "Which"), ("Done.", ""), ("", ""), ("?", "")],
)
def test_the_question_at_the_end(text: str, question: str) -> None:
    assert question_at_end(text) == question
