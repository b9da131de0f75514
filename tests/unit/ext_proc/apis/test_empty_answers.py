"""Which successes are none."""

from typing import Any

import pytest

from ext_proc.apis.registry import spec_of


@pytest.mark.parametrize(
    ("api", "body", "expected"),
    [
        ("chat_completions", {"choices": [], "usage": {"completion_tokens": 20}}, False),
        ("chat_completions", {"choices": []}, False),
        ("chat_completions", {}, False),
        ("chat_completions", {"choices": [], "usage": {"completion_tokens": 0}}, True),
        ("chat_completions", {"choices": [{"message": {"content": ""}}]}, True),
        ("messages", {"content": [], "stop_reason": "end_turn", "usage": {"output_tokens": 20}}, False),
        ("messages", {"content": []}, False),
        ("messages", {"content": [], "stop_reason": "end_turn", "usage": {"output_tokens": 3}}, True),
        ("messages", {"content": [], "stop_reason": "refusal", "usage": {"output_tokens": 20}}, True),
        ("messages", {"content": [], "stop_reason": "max_tokens"}, True),
        ("messages", {"content": [{"type": "text", "text": ""}]}, True),
        ("responses", {"output": [], "status": "completed", "usage": {"output_tokens": 20}}, False),
        ("responses", {"output": []}, False),
        ("responses", {"output": [], "status": "incomplete"}, True),
        ("responses", {"output": [], "usage": {"output_tokens": 0}}, True),
        ("responses", {"output": [{"type": "reasoning"}]}, True),
        ("embeddings", {"data": []}, True),
    ],
)
def test_an_answer_has_something_in_it_or_a_reason_to_have_nothing(api: str, body: dict[str, Any], expected: bool) -> None:
    assert spec_of(api).has_answer(body) is expected
