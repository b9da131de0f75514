from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ext_proc.apis.session_facts import instructions_of, speaks_as_user, tools_of

REMINDER = "<system-reminder>Remember the todo list.</system-reminder>"
RESULT = {"type": "tool_result", "tool_use_id": "t", "content": "42"}


def chat(*messages: tuple[str, Any]) -> dict[str, Any]:
    return {"messages": [{"role": role, "content": content} for role, content in messages]}


@pytest.mark.parametrize(
    ("api", "body", "expected"),
    [
        ("chat_completions", chat(("system", "s"), ("user", "u"), ("assistant", "a"), ("user", "more")), True),
        ("chat_completions", chat(("user", "u"), ("assistant", None), ("tool", "42")), False),
        ("chat_completions", chat(("user", "u"), ("assistant", "a")), False),
        ("chat_completions", chat(("user", [{"type": "image_url", "image_url": {}}])), True),
        ("chat_completions", chat(("user", f" {REMINDER}\n")), False),
        ("chat_completions", chat(("user", f"{REMINDER} and go on")), True),
        ("chat_completions", chat(("user", "<system-reminder>never closed, go on")), False),
        ("messages", chat(("user", [RESULT])), False),
        ("messages", chat(("user", [RESULT, {"type": "text", "text": REMINDER}])), False),
        ("messages", chat(("user", [RESULT, {"type": "text", "text": "stop"}])), True),
        ("messages", chat(("user", "<user-prompt-submit-hook>x</user-prompt-submit-hook>")), False),
        ("responses", {"input": "hello"}, True),
        ("responses", {"input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}]}, True),
        ("responses", {"input": [{"role": "user", "content": "hi"}, {"type": "function_call_output", "output": "1"}]}, False),
        ("responses", {"input": [{"type": "reasoning"}]}, False),
        ("responses", {}, False),
    ],
)
def test_who_has_spoken_last(api: str, body: dict[str, Any], expected: bool) -> None:
    assert speaks_as_user(api, body) is expected


def test_instructions_and_tools_of_each_api() -> None:
    assert instructions_of("chat_completions", chat(("system", "a"), ("user", "u"), ("developer", [{"text": "b"}]))) == "a\nb"
    assert instructions_of("messages", {"system": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]}) == "a\nb"
    assert instructions_of("responses", {"instructions": "a", "input": [{"role": "system", "content": "b"}]}) == "a\nb"
    assert tools_of({"tools": [{"type": "function", "function": {"name": "f"}}, {"name": "g"}, {"type": "web_search"}, 1]}) == (
        "f,g,web_search"
    )
    assert tools_of({}) == ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4) | st.sampled_from(["user", "system", "text", "message"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["messages", "input", "role", "content", "type", "text", "tools", "name"]), inner)
    ),
    max_leaves=15,
)


@given(
    st.sampled_from(["chat_completions", "messages", "responses"]),
    st.dictionaries(st.sampled_from(["messages", "input", "tools"]), JSON),
)
@example("chat_completions", {"messages": [{"role": []}]})
@example("messages", {"messages": [{"role": "user", "content": [{"type": []}]}]})
def test_any_body_says_something_or_nothing(api: str, body: dict[str, Any]) -> None:
    assert isinstance(speaks_as_user(api, body), bool)
    assert isinstance(instructions_of(api, body), str)
    assert isinstance(tools_of(body), str)
