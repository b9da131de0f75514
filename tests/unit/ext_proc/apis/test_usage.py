from typing import Any

import pytest
from anthropic.types import Usage as AnthropicUsage
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CompletionUsage
from openai.types.responses import ResponseUsage

from ext_proc.apis.chat_completions.usage import from_chat_completions, to_chat_completions
from ext_proc.apis.messages.usage import from_messages, to_messages
from ext_proc.apis.responses.usage import from_responses, to_responses
from ext_proc.apis.usage import NO_USAGE, Usage

READERS = (from_chat_completions, from_responses, from_messages)
counts = st.integers(0, 10**6)


@st.composite
def usages(draw: st.DrawFn) -> Usage:
    cached, written, reasoning = draw(counts), draw(counts), draw(counts)
    return Usage(
        input_tokens=cached + written + draw(counts),
        output_tokens=reasoning + draw(counts),
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=reasoning,
    )


@given(tokens=usages())
def test_each_api_gives_back_what_it_was_given_and_the_sdks_read_it(tokens: Usage) -> None:
    chat, response, message = to_chat_completions(tokens), to_responses(tokens), to_messages(tokens)
    assert from_chat_completions(chat) == tokens
    assert from_responses(response) == tokens
    assert from_messages(message) == tokens
    assert CompletionUsage.model_validate(chat).total_tokens == tokens.total_tokens
    assert ResponseUsage.model_validate(response).total_tokens == tokens.total_tokens
    assert AnthropicUsage.model_validate(message).output_tokens == tokens.output_tokens


def test_cached_tokens_are_counted_once() -> None:
    anthropic = {"input_tokens": 300, "cache_read_input_tokens": 600, "cache_creation_input_tokens": 100, "output_tokens": 5}
    openai = {"prompt_tokens": 1000, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 600}}
    assert from_messages(anthropic).input_tokens == 1000
    assert from_chat_completions(openai).input_tokens == 1000
    assert to_messages(from_chat_completions(openai))["input_tokens"] == 400


def test_a_cache_that_is_said_to_hold_more_than_the_input_gives_no_negative_count() -> None:
    assert to_messages(Usage(input_tokens=5, cached_input_tokens=9))["input_tokens"] == 0


def test_deepseek_counts_cache_hits_beside_the_details() -> None:
    tokens = from_chat_completions({"prompt_tokens": 9, "completion_tokens": 1, "prompt_cache_hit_tokens": 4})
    assert tokens.cached_input_tokens == 4


@pytest.mark.parametrize("nothing", [None, [], "x", {}, {"prompt_tokens": None, "input_tokens": -1, "output_tokens": True}])
@pytest.mark.parametrize("read", READERS)
def test_what_is_no_usage_counts_nothing(read: Any, nothing: object) -> None:
    assert read(nothing) == NO_USAGE


@given(value=st.recursive(st.none() | st.floats() | st.text(), lambda inner: st.dictionaries(st.text(), inner), max_leaves=5))
def test_any_value_is_read(value: object) -> None:
    for read in READERS:
        assert read(value).total_tokens >= 0
