from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.conversation import Turn, read_conversation
from ext_proc.errors import MalformedBody

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["role", "content", "type", "text"]), inner),
    max_leaves=12,
)


@pytest.mark.parametrize("api", ["chat_completions", "messages"])
def test_users_and_assistants_are_kept_in_order(api: str) -> None:
    body = {
        "system": "You are terse.",
        "messages": [
            {"role": "system", "content": "S"},
            {"role": "developer", "content": "D"},
            {"role": "user", "content": "Weather in Oslo?"},
            {"role": "assistant", "content": None, "tool_calls": [{"id": "c1"}]},
            {"role": "tool", "tool_call_id": "c1", "content": "12C"},
            {"role": "assistant", "content": "12 degrees."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "And"}, {"type": "image_url"}, {"type": "text", "text": "Rome?"}],
            },
        ],
    }
    assert read_conversation(api, body) == (
        Turn("user", "Weather in Oslo?"),
        Turn("assistant", "12 degrees."),
        Turn("user", "And\nRome?"),
    )


def test_tool_results_and_thinking_of_messages_are_not_text() -> None:
    body = {
        "messages": [
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "tool_use", "id": "t"}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "12C"}]},
        ]
    }
    assert read_conversation("messages", body) == ()


def test_responses_input_may_be_a_string_or_items() -> None:
    assert read_conversation("responses", {"input": "Hello", "instructions": "Be kind"}) == (Turn("user", "Hello"),)
    items = [
        {"role": "user", "content": "Flights to Rome?"},
        {"type": "reasoning", "summary": []},
        {"type": "function_call", "name": "f", "arguments": "{}"},
        {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Two."}]},
        {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Thanks"}, {"type": "input_image"}]},
    ]
    assert [turn.text for turn in read_conversation("responses", {"input": items})] == ["Flights to Rome?", "Two.", "Thanks"]


def test_responses_may_leave_the_input_to_a_stored_conversation() -> None:
    assert read_conversation("responses", {"previous_response_id": "resp_1"}) == ()


def test_blank_turns_are_dropped() -> None:
    assert read_conversation("chat_completions", {"messages": [{"role": "user", "content": " \n"}]}) == ()


MALFORMED: list[tuple[str, dict[str, Any], str]] = [
    ("chat_completions", {}, "messages"),
    ("chat_completions", {"messages": None}, "messages"),
    ("chat_completions", {"messages": "hi"}, "messages"),
    ("chat_completions", {"messages": []}, "messages"),
    ("chat_completions", {"messages": ["hi"]}, "messages[0]"),
    ("chat_completions", {"messages": [{"content": "hi"}]}, "messages[0].role"),
    ("messages", {"messages": [{"role": "user", "content": "a"}, {"role": "user", "content": 3}]}, "messages[1].content"),
    ("messages", {"messages": [{"role": "user", "content": [7]}]}, "messages[0].content[0]"),
    ("messages", {"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "messages[0].content[0].text"),
    ("responses", {}, "input"),
    ("responses", {"input": 5}, "input"),
    ("responses", {"input": []}, "input"),
    ("responses", {"input": [{"role": "user", "content": {}}]}, "input[0].content"),
]


@pytest.mark.parametrize(("api", "body", "field"), MALFORMED)
def test_an_unusable_body_names_the_field(api: str, body: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        read_conversation(api, body)
    assert caught.value.param == field
    assert field in caught.value.public_message


@given(st.sampled_from(["chat_completions", "messages", "responses"]), JSON_VALUES)
def test_any_json_is_read_or_refused(api: str, value: object) -> None:
    named: str | None = "none"
    turns: tuple[Turn, ...] = ()
    try:
        turns = read_conversation(api, {"messages": value, "input": value})
    except MalformedBody as error:
        named = error.param
    assert named
    assert all(turn.role in {"user", "assistant"} and turn.text.strip() for turn in turns)
