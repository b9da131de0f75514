"""How much a request says, in any API and any shape."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.prompt_size import estimate_size

WORDS = "four bytes a token, more or less"


@pytest.mark.parametrize(
    "body",
    [
        {"messages": [{"content": WORDS}]},
        {"system": [{"text": WORDS}]},
        {"input": [{"content": [{"text": WORDS}]}], "max_output_tokens": 10**9},
        {"input": [WORDS]},
        {"prompt": WORDS, "image_url": "x" * 10_000},
        {"tools": [{"description": WORDS}], "messages": [{"source": {"data": "A" * 10_000}}]},
    ],
)
def test_text_counts_and_blobs_do_not(body: dict[str, Any]) -> None:
    assert estimate_size(body) == len(WORDS) // 4


def test_bytes_count_and_nothing_costs_nothing() -> None:
    assert estimate_size({"input": "日本語日本語"}) == 18 // 4
    assert estimate_size({}) == 1


@given(st.recursive(st.none() | st.integers() | st.text(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)))
def test_any_json_has_a_size(value: Any) -> None:
    assert estimate_size({"x": value}) >= 1


def test_depth_does_not_matter() -> None:
    deep: Any = WORDS
    for _ in range(5000):
        deep = [deep]
    assert estimate_size({"x": deep}) == len(WORDS) // 4
