"""`usage` of a chat completion <-> Usage."""

from collections.abc import Mapping

from ext_proc.apis.usage import NO_USAGE, Usage, count, mapping, written
from ext_proc.codec.json_body import JsonObject


def from_chat_completions(usage: object) -> Usage:
    """Read `usage` of a chat completion, or of its last chunk; invalid values count as 0."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    prompt = mapping(usage, "prompt_tokens_details")
    completion = mapping(usage, "completion_tokens_details")
    # DeepSeek reports cache hits outside the details.
    cached = count(prompt, "cached_tokens") or count(usage, "prompt_cache_hit_tokens")
    return Usage(
        input_tokens=count(usage, "prompt_tokens"),
        output_tokens=count(usage, "completion_tokens"),
        cached_input_tokens=cached,
        cache_write_tokens=written(count(prompt, "cache_write_tokens"), count(usage, "prompt_tokens"), cached),
        reasoning_tokens=count(completion, "reasoning_tokens"),
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
