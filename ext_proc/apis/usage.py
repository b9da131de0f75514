"""Token usage of each API <-> Usage.

APIs count differently: OpenAI's input includes the tokens read from and written to the prompt cache, Anthropic's excludes both.
Usage counts as OpenAI does, so that totals add up without knowing who counted.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ext_proc.codec.json_body import JsonObject


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one exchange."""

    input_tokens: int = 0
    """All of the input, cached or not."""
    output_tokens: int = 0
    """All of the output, reasoning included."""
    cached_input_tokens: int = 0
    """Part of the input: read from the provider's prompt cache."""
    cache_write_tokens: int = 0
    """Part of the input: written to the provider's prompt cache."""
    reasoning_tokens: int = 0
    """Part of the output: thought, not said."""

    @property
    def total_tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens


NO_USAGE = Usage()


def from_chat_completions(usage: object) -> Usage:
    """Read `usage` of a chat completion, or of its last chunk; anything that is not one counts nothing."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    prompt = _mapping(usage, "prompt_tokens_details")
    completion = _mapping(usage, "completion_tokens_details")
    # DeepSeek counts cache hits beside the details.
    cached = _count(prompt, "cached_tokens") or _count(usage, "prompt_cache_hit_tokens")
    return Usage(
        input_tokens=_count(usage, "prompt_tokens"),
        output_tokens=_count(usage, "completion_tokens"),
        cached_input_tokens=cached,
        cache_write_tokens=_written(_count(prompt, "cache_write_tokens"), _count(usage, "prompt_tokens"), cached),
        reasoning_tokens=_count(completion, "reasoning_tokens"),
    )


def to_chat_completions(usage: Usage) -> JsonObject:
    """Write `usage` of a chat completion."""
    prompt = {"cached_tokens": usage.cached_input_tokens}
    if usage.cache_write_tokens:
        prompt["cache_write_tokens"] = usage.cache_write_tokens
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
        "prompt_tokens_details": prompt,
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
    }


def from_responses(usage: object) -> Usage:
    """Read `usage` of a response object."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    given = _mapping(usage, "input_tokens_details")
    return Usage(
        input_tokens=_count(usage, "input_tokens"),
        output_tokens=_count(usage, "output_tokens"),
        cached_input_tokens=_count(given, "cached_tokens"),
        cache_write_tokens=_written(
            _count(given, "cache_write_tokens"), _count(usage, "input_tokens"), _count(given, "cached_tokens")
        ),
        reasoning_tokens=_count(_mapping(usage, "output_tokens_details"), "reasoning_tokens"),
    )


def to_responses(usage: Usage) -> JsonObject:
    """Write `usage` of a response object."""
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_input_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }


def from_messages(usage: object) -> Usage:
    """Read `usage` of a message."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    cached, written = _count(usage, "cache_read_input_tokens"), _count(usage, "cache_creation_input_tokens")
    return Usage(
        input_tokens=_count(usage, "input_tokens") + cached + written,
        output_tokens=_count(usage, "output_tokens"),
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=_count(_mapping(usage, "output_tokens_details"), "thinking_tokens"),
    )


def to_messages(usage: Usage) -> JsonObject:
    """Write `usage` of a message."""
    written: JsonObject = {
        "input_tokens": max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens),
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_input_tokens,
        "output_tokens": usage.output_tokens,
    }
    if usage.reasoning_tokens:
        written["output_tokens_details"] = {"thinking_tokens": usage.reasoning_tokens}
    return written


def from_converse(usage: object) -> Usage:
    """Read `usage` of an answer of Amazon Bedrock, which counts as Anthropic does."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    cached, written = _count(usage, "cacheReadInputTokens"), _count(usage, "cacheWriteInputTokens")
    return Usage(
        input_tokens=_count(usage, "inputTokens") + cached + written,
        output_tokens=_count(usage, "outputTokens"),
        cached_input_tokens=cached,
        cache_write_tokens=written,
    )


def _written(written: int, given: int, cached: int) -> int:
    """Return the tokens written to the cache: OpenRouter counts tokens of Gemini both as read and as written."""
    return min(written, max(0, given - cached))


def _mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}


def _count(parent: Mapping[str, Any], name: str) -> int:
    """Read a count; providers write null, and some write floats."""
    value = parent.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return 0
    return int(value)
