"""Marks for prompt caches: where they are put, and when a body is left alone to the byte."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.translate.cache_markers import mark_for_cache
from protos.contract.quirks import Quirks

MARK = {"cache_control": {"type": "ephemeral"}}
LONG = "Be brief. " * 20
TOOL = {"name": "look", "input_schema": {"type": "object"}}
HANDS_ON = Quirks(cache_markers="cache_control")


def marked(body: Any, api: str = "messages", *, model: str = "claude-x", quirks: Quirks = HANDS_ON, least: int = 10) -> Any:
    return orjson.loads(mark_for_cache(orjson.dumps(body), api, model=model, quirks=quirks, least_tokens=least))


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def text(words: str, **more: Any) -> dict[str, Any]:
    return {"type": "text", "text": words, **more}


def test_system_and_the_users_last_turn_are_marked() -> None:
    turns = [user("Hello"), {"role": "assistant", "content": "Hi"}, user("And?")]
    made = marked({"model": "m", "system": LONG, "tools": [TOOL], "messages": turns, "x": 1})
    assert made == {
        "model": "m",
        "system": [text(LONG, **MARK)],
        "tools": [TOOL],
        "messages": [*turns[:2], user([text("And?", **MARK)])],
        "x": 1,
    }


def test_without_a_system_the_last_tool_that_is_loaded_is_marked() -> None:
    tools: list[dict[str, Any]] = [TOOL, TOOL | {"description": LONG}, TOOL | {"defer_loading": True}]
    made = marked({"system": "", "tools": tools, "messages": [user("?")]})
    assert made["tools"] == [tools[0], tools[1] | MARK, tools[2]]
    assert made["system"] == ""


@pytest.mark.parametrize(
    ("blocks", "index"),
    [
        ([text("a"), text("b")], 1),
        ([text("a"), text("  ")], 0),
        ([{"type": "tool_result", "tool_use_id": "t", "content": "x"}], 0),
        ([text("a"), {"type": "thinking", "thinking": "…", "signature": "s"}], 0),
        ([{"type": "image", "source": {}}, {"type": "search_result"}], 0),
    ],
)
def test_the_last_block_that_takes_a_mark_gets_it(blocks: list[dict[str, Any]], index: int) -> None:
    wanted = [block | MARK if place == index else block for place, block in enumerate(blocks)]
    made = marked({"system": LONG, "messages": [user(blocks), {"role": "assistant", "content": "prefilled"}]})
    assert made["messages"] == [user(wanted), {"role": "assistant", "content": "prefilled"}]


def test_instructions_are_marked_where_a_provider_hands_marks_on_to_claude() -> None:
    first = {"role": "developer", "content": LONG, "name": "us"}
    body = {"messages": [first, user("a"), {"role": "system", "content": LONG}]}
    made = marked(body, "chat_completions", model="anthropic/claude-sonnet-4.5")
    assert made["messages"] == [first | {"content": [text(LONG, **MARK)]}, *body["messages"][1:]]
    assert marked(body, "chat_completions", model="openai/gpt-5") == body
    assert marked(body, "chat_completions", model="anthropic/claude-sonnet-4.5", quirks=Quirks()) == body
    assert marked(body, "responses") == body


@pytest.mark.parametrize(
    "body",
    [
        {"system": [text(LONG, **MARK)], "messages": [user("a")]},
        {"system": LONG, "messages": [user([text("a", cache_control={"type": "ephemeral", "ttl": "1h"})])]},
        {"system": LONG, "cache_control": {"type": "ephemeral"}, "messages": [user("a")]},
        {"system": "short", "messages": [user(LONG)]},
        {"messages": [user("a")]},
    ],
)
def test_bodies_with_marks_and_short_ones_are_left_alone_to_the_byte(body: Any) -> None:
    raw = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    assert mark_for_cache(raw, "messages", model="c", quirks=Quirks(), least_tokens=30) is raw


def test_a_body_that_is_too_deep_to_be_written_again_is_left_alone() -> None:
    deep = b'{"system": "%s", "metadata": %s1%s}' % (LONG.encode(), b"[" * 500, b"]" * 500)
    assert mark_for_cache(deep, "messages", model="c", quirks=Quirks(), least_tokens=1) is deep


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "text", "content", "role", "x"]), inner)
    ),
    max_leaves=12,
)
_BLOCK = st.fixed_dictionaries({"type": st.sampled_from(["text", "image", "thinking", "x"]), "text": st.text()})
_CONTENT = st.text() | st.lists(_BLOCK | _JSON, max_size=3) | _JSON
_MESSAGE = st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant", "system"]), "content": _CONTENT}) | _JSON
_BODY = st.fixed_dictionaries(
    {}, optional={"system": _CONTENT, "tools": st.lists(_BLOCK, max_size=3) | _JSON, "messages": st.lists(_MESSAGE) | _JSON}
)


@given(body=_BODY, api=st.sampled_from(["messages", "chat_completions"]))
def test_nothing_but_marks_is_added_to_any_body(body: Any, api: str) -> None:
    raw = orjson.dumps(body)
    made = mark_for_cache(raw, api, model="claude", quirks=HANDS_ON, least_tokens=1)
    assert made.count(b'"cache_control"') <= 2
    assert without_marks(orjson.loads(made)) == without_marks(body)


def without_marks(value: Any) -> Any:
    """Drop marks, and read a text as the one block that it can be."""
    if isinstance(value, list):
        return [without_marks(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: without_marks(item) for key, item in value.items() if key != "cache_control"}
    for key in ("content", "system"):
        if isinstance(kept.get(key), str) and kept[key].strip():
            kept[key] = [text(kept[key])]
    return kept


def test_a_block_whose_kind_is_no_word_takes_no_mark() -> None:
    strange = user([text("And?"), {"type": ["image"]}])
    made = marked({"model": "m", "system": LONG, "messages": [strange]})
    assert made["messages"] == [user([text("And?", **MARK), {"type": ["image"]}])]
