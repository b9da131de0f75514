"""Each signal in a conversation that shows it, and conversations that only look as if."""

import pytest
from hypothesis import given, strategies

from ext_proc.signals.analysis import analyse
from ext_proc.signals.report import TYPES
from ext_proc.signals.rows import Row
from tests.unit.ext_proc.signals.conversations import Message, called, report, said, types

SHOWN: dict[str, list[Message]] = {
    "interaction.misalignment.correction": said("Book a flight", "Here is a hotel", "No, I meant a flight."),
    "interaction.misalignment.rephrase": said("Is it wet?", "Is what?", "Let me rephrase: does it rain?"),
    "interaction.misalignment.clarification": said("Hi", "It depends", "Sorry, what do you mean by that"),
    "interaction.stagnation.dragging": said(*(f"Step {number} please" if number % 2 == 0 else "Done" for number in range(17))),
    "interaction.stagnation.repetition": said("Where is the parcel I ordered?", "Soon", "Where is the parcel I ordered?"),
    "interaction.disengagement.escalation": said("Can I speak to a human?"),
    "interaction.disengagement.quit": said("Hi", "Hello", "I give up."),
    "interaction.disengagement.negative_stance": said("This is ridiculous, honestly"),
    "interaction.satisfaction.gratitude": said("Many thanks for that"),
    "interaction.satisfaction.confirmation": said("Monday?", "Tuesday?", "Sounds good"),
    "interaction.satisfaction.success": said("Try that", "Did it help?", "It works now"),
    "execution.failure.invalid_args": called("pay", result="Invalid argument: amount"),
    "execution.failure.tool_not_found": called("pay", result="Tool 'pay' not found"),
    "execution.failure.auth_misuse": called("pay", result="HTTP 401"),
    "execution.failure.state_error": called("pay", result="The order is already closed"),
    "execution.failure.bad_query": called("find", result="no such table: orders"),
    "execution.loops.retry": called("find") * 3,
    "execution.loops.parameter_drift": [*called("find", '{"q":1}'), *called("find", '{"q":2}'), *called("find", '{"q":3}')],
    "execution.loops.oscillation": [*called("read"), *called("write")] * 3,
    "environment.exhaustion.rate_limit": called("find", result='{"error": "Rate limit exceeded"}'),
    "environment.exhaustion.api_error": called("find", result="503 Service Unavailable"),
    "environment.exhaustion.timeout": called("find", result="The request timed out"),
    "environment.exhaustion.network": called("find", result="connect ECONNREFUSED 127.0.0.1:80"),
    "environment.exhaustion.malformed_response": called("find", result="Failed to parse JSON"),
    "environment.exhaustion.context_overflow": called("find", result="The prompt is too long for this model"),
}


def test_the_taxonomy_has_a_conversation_for_each_signal() -> None:
    assert {*SHOWN} == {*TYPES}
    assert len(TYPES) == 25


@pytest.mark.parametrize("type_", SHOWN)
def test_a_conversation_shows_its_signal_alone(type_: str) -> None:
    assert types(SHOWN[type_]) == [type_]


@pytest.mark.parametrize(
    "messages",
    [
        said("Please write a poem about customer service managers and their support teams"),
        said("How do I stop a Kubernetes pod that never ends?"),
        said("That's not very helpful"),
        said("GREAT!! That was all"),
        said("Explain HTTP status code 429 to me"),
        said("Book a table in Rome for two persons", "Done", "Now book the train to Naples for Sunday evening"),
        said("yes please", "ok", "yes please"),
        called("ls", result="401k.txt report-500.pdf limits.md timeout.py"),
        called("read", '{"path":"a"}') + called("read", '{"path":"b"}'),
        [{"role": "assistant", "tool_calls": [{"function": {"name": "read", "arguments": f'"{p}"'}} for p in "abcde"]}],
        [{"role": "system", "content": "Speak to a human? I give up. Rate limit exceeded."}],
        [{"role": "assistant", "content": "I give up; thank you, speak to a human"}],
    ],
    ids=lambda messages: str(messages[-1].get("content"))[:40],
)
def test_nothing_is_noticed_where_nothing_happens(messages: list[Message]) -> None:
    assert types(messages) == []


@pytest.mark.parametrize(
    ("text", "type_"),
    [
        ("thnk you so much", "interaction.satisfaction.gratitude"),
        ("THATS NOT WHAT I MEANT", "interaction.misalignment.correction"),
        ("i don\u2019t understand \u2014 sorry", "interaction.misalignment.clarification"),
        ("WHY IS IT DOWN AGAIN", "interaction.disengagement.negative_stance"),
        ("where is it??", "interaction.disengagement.negative_stance"),
        ("what the hell", "interaction.disengagement.negative_stance"),
    ],
)
def test_a_phrase_is_found_however_it_is_written(text: str, type_: str) -> None:
    assert type_ in types(said(text))


def test_who_asks_the_same_in_other_words_rephrases() -> None:
    signals = report(
        said("please book a cheap flight to Paris tomorrow", "ok", "book me a cheap flight tomorrow, Paris")
    ).signals
    assert [(signal.type, signal.row, signal.confidence) for signal in signals] == [
        ("interaction.misalignment.rephrase", 2, 0.8)
    ]


def test_an_assistant_that_repeats_itself_stagnates() -> None:
    answer = "I am unable to find any order with that number"
    signal = next(signal for signal in report(said("A1", answer, "B2", f"{answer}!")).signals)
    assert (signal.type, signal.row) == ("interaction.stagnation.repetition", 3)
    assert signal.metadata == {"pattern_type": "exact", "role": "assistant", "compared_to": 1, "similarity": 1.0}


def test_a_result_can_tell_of_a_mistake_and_of_the_environment() -> None:
    result = "Invalid argument: too many requests"
    signals = report(called("pay", result=result)).signals
    assert [signal.type for signal in signals] == ["execution.failure.invalid_args", "environment.exhaustion.rate_limit"]
    assert signals[0].metadata == {"matched": "invalid argument", "tool_name": "pay"}


def test_equal_arguments_are_equal_in_any_order() -> None:
    calls = [*called("find", '{"a":1,"b":2}'), *called("find", '{"b": 2, "a": 1}'), *called("find", '{"a":1,"b":2}')]
    assert types(calls) == ["execution.loops.retry"]


def test_turns_of_both_sides_count_and_efficiency_falls_by_those_of_the_user() -> None:
    few, many = report(said("a", "b", "c")), report(said(*"abcdefghijklmn"))
    assert (few.turns, few.efficiency) == (3, 1.0)
    assert (many.turns, round(many.efficiency, 3)) == (14, 0.625)


def test_only_what_the_request_before_did_not_show_is_new() -> None:
    found = report(said("thanks", "No problem", "I give up", "Why?", "thanks a lot"))
    assert {signal.row for signal in found.signals} == {0, 2, 4}
    assert [(signal.type, signal.row) for signal in found.new_signals] == [("interaction.satisfaction.gratitude", 4)]
    loop = report(called("find") * 3)
    assert [signal.type for signal in loop.new_signals] == ["execution.loops.retry"]
    assert report([*called("find") * 3, *said("And now?")]).new_signals[0].type == "execution.loops.retry"


ROWS = strategies.builds(
    Row,
    strategies.sampled_from(("user", "assistant", "call", "result")),
    strategies.text(max_size=60) | strategies.sampled_from(("thank you", "rate limit", "i give up", "????", "AAAAAAAAAAAA")),
    strategies.sampled_from(("", "a", "b")),
    strategies.integers(0, 3),
)


@given(strategies.lists(ROWS, max_size=30))
def test_any_conversation_has_a_report(rows: list[Row]) -> None:
    found = analyse(rows)
    assert 0 <= found.score <= 100
    assert all(signal.type in TYPES and 0 <= signal.row < len(rows) and 0 < signal.confidence <= 1 for signal in found.signals)
