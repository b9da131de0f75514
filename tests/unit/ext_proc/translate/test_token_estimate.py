"""Counting tokens without a tokenizer: near enough to decide by, and never wrong about what is there."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.errors import MalformedBody
from ext_proc.translate.token_estimate import TOKENS_OF_IMAGE, TOKENS_OF_MESSAGE, TOKENS_OF_PAGE, estimate_tokens
from tests.kit.golden import GOLDEN_ROOT
from tests.unit.ext_proc.translate.test_registry_requests import bodies

PROSE = "The gateway reads the request once, decides which model is meant, and lets Envoy carry every byte of the answer. "
CODE = 'def find(table: dict[str, int], key: str) -> int:\n    """Look it up."""\n    return table.get(key, 0)\n'
CHINESE = "天气预报说明天会下雨所以请带上雨伞"
BASE64 = {"type": "base64", "media_type": "application/pdf", "data": "A" * 100_000}


def said(content: Any, **more: Any) -> int:
    return estimate_tokens({"messages": [{"role": "user", "content": content}], **more}) - TOKENS_OF_MESSAGE


# Counted once by the tokenizer that Anthropic published last (anthropic 0.38).
@pytest.mark.parametrize(("text", "tokens"), [(PROSE, 24), (CODE, 35), (json.dumps({"a": [1, 23, 456]}), 10), (CHINESE, 19)])
def test_texts_are_near_to_what_a_tokenizer_counts(text: str, tokens: int) -> None:
    assert said(text * 20) == pytest.approx(tokens * 20, rel=0.35)


def test_everything_that_the_model_is_shown_counts() -> None:
    tool = {"name": "read_file", "description": PROSE, "input_schema": {"type": "object", "properties": {}}}
    use = {"type": "tool_use", "id": "toolu_1", "name": "read_file", "input": {"path": PROSE}}
    result = {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": PROSE}]}
    one = said(PROSE)
    assert said(PROSE, system=PROSE) == pytest.approx(2 * one, abs=2)
    assert said(PROSE, system=[{"type": "text", "text": PROSE, "cache_control": {"type": "ephemeral"}}]) == said(
        PROSE, system=PROSE
    )
    assert said(PROSE, tools=[tool]) > 2 * one
    assert said(PROSE, tools=[{**tool, "cache_control": {"type": "ephemeral"}}]) == said(PROSE, tools=[tool])
    assert said([use]) > one
    assert said([result]) == one
    assert said([{"type": "thinking", "thinking": PROSE, "signature": "s" * 1000}]) == one


@pytest.mark.parametrize(
    ("block", "tokens"),
    [
        ({"type": "image", "source": {"type": "url", "url": "https://x.example/" + "a" * 500}}, TOKENS_OF_IMAGE),
        ({"type": "document", "source": BASE64}, 2 * TOKENS_OF_PAGE),
        ({"type": "document", "source": {"type": "url", "url": "https://x.example/a.pdf"}}, TOKENS_OF_PAGE),
        ({"type": "document", "source": {"type": "text", "data": PROSE}}, said(PROSE)),
        ({"type": "redacted_thinking", "data": "s" * 1000}, 0),
    ],
)
def test_what_is_no_text_has_a_price(block: dict[str, Any], tokens: int) -> None:
    assert said([block]) == tokens


def test_no_request_is_free() -> None:
    assert estimate_tokens({"messages": []}) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "messages"),
        ({"messages": "hi"}, "messages"),
        ({"messages": [7]}, "messages[0]"),
        ({"messages": [{"content": "hi"}]}, "messages[0].role"),
        ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"text": "hi"}]}]}, "messages[0].content[0].type"),
        ({"messages": [], "system": 7}, "system"),
        ({"messages": [], "tools": {}}, "tools"),
    ],
)
def test_a_wrong_field_is_named(body: dict[str, Any], field: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        estimate_tokens(body)
    assert caught.value.param == field


@given(body=bodies)
def test_any_body_is_counted_or_refused(body: dict[str, Any]) -> None:
    with contextlib.suppress(MalformedBody):
        assert estimate_tokens(body) >= 1


def test_every_request_of_the_goldens_can_be_counted() -> None:
    for path in (GOLDEN_ROOT / "translate" / "requests").glob("messages_over_*/*.in.json"):
        assert estimate_tokens(json.loads(path.read_bytes())) > TOKENS_OF_MESSAGE, path


@given(first=st.text(), second=st.text())
def test_more_text_never_counts_less(first: str, second: str) -> None:
    assert said(first + second) >= said(first)
