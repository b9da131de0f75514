from typing import Any

import pytest
from hypothesis import given, strategies

from ext_proc.signals.rows import MAX_ROWS, MAX_TEXT, Row, read_rows

CHAT = {
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": [{"type": "text", "text": "Weather?"}, {"type": "image_url", "image_url": {"url": "x"}}]},
        {"role": "assistant", "content": None, "tool_calls": [{"function": {"name": "weather", "arguments": '{"b":1,"a":2}'}}]},
        {"role": "tool", "content": "rain"},
        {"role": "assistant", "content": "It rains."},
    ]
}
MESSAGES = {
    "system": "Be kind.",
    "messages": [
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": [{"type": "tool_use", "name": "weather", "input": {"b": 1, "a": 2}}]},
        {"role": "user", "content": [{"type": "tool_result", "content": [{"type": "text", "text": "rain"}]}]},
        {"role": "assistant", "content": [{"type": "text", "text": "It rains."}]},
    ],
}
RESPONSES = {
    "instructions": "Be kind.",
    "input": [
        {"role": "user", "content": [{"type": "input_text", "text": "Weather?"}]},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "weather", "arguments": '{"b":1,"a":2}'},
        {"type": "function_call_output", "output": "rain"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "It rains."}]},
    ],
}
SAID = [("user", "Weather?", ""), ("call", '{"a":2,"b":1}', "weather"), ("result", "rain", ""), ("assistant", "It rains.", "")]


@pytest.mark.parametrize(("api", "body"), [("chat_completions", CHAT), ("messages", MESSAGES), ("responses", RESPONSES)])
def test_the_same_conversation_makes_the_same_rows_in_each_api(api: str, body: dict[str, Any]) -> None:
    assert [(row.kind, row.text, row.tool) for row in read_rows(api, body)] == SAID


def test_an_input_may_be_one_text() -> None:
    assert read_rows("responses", {"input": "Hi"}) == (Row("user", "Hi"),)


def test_calls_of_one_message_are_one_step() -> None:
    calls = [{"function": {"name": "read", "arguments": "{}"}}] * 2
    body = {"messages": [{"role": "assistant", "tool_calls": calls}, {"role": "assistant", "tool_calls": calls[:1]}]}
    assert [row.step for row in read_rows("chat_completions", body)] == [1, 1, 0]


def test_the_last_rows_of_a_long_conversation_are_read() -> None:
    rows = read_rows("chat_completions", {"messages": [{"role": "user", "content": str(number)} for number in range(500)]})
    assert len(rows) == MAX_ROWS
    assert (rows[0].text, rows[-1].text) == ("400", "499")


def test_a_long_text_keeps_its_beginning_and_its_end() -> None:
    text = "a" * 5000 + "z" * 1000
    (row,) = read_rows("chat_completions", {"messages": [{"role": "user", "content": text}]})
    assert len(row.text) == MAX_TEXT + 1
    assert row.text.startswith("a" * 400 + " a")
    assert row.text.endswith("z" * 1000)


JSON = strategies.recursive(
    strategies.none() | strategies.booleans() | strategies.integers() | strategies.floats() | strategies.text(max_size=5),
    lambda inner: (
        strategies.lists(inner, max_size=3)
        | strategies.dictionaries(
            strategies.sampled_from(
                ("role", "type", "content", "text", "tool_calls", "function", "name", "arguments", "input", "output")
            ),
            inner | strategies.sampled_from(("user", "assistant", "tool", "tool_use", "tool_result", "function_call")),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(strategies.sampled_from(("chat_completions", "messages", "responses")), JSON)
def test_any_json_is_read(api: str, value: object) -> None:
    assert len(read_rows(api, {"messages": value, "input": value})) <= MAX_ROWS
