"""`usage` of a message <-> Usage."""

from collections.abc import Mapping

from ext_proc.apis.usage import NO_USAGE, Usage, count, mapping
from ext_proc.codec.json_body import JsonObject


def from_messages(usage: object) -> Usage:
    """Read `usage` of a message."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    cached, written = count(usage, "cache_read_input_tokens"), count(usage, "cache_creation_input_tokens")
    return Usage(
        input_tokens=count(usage, "input_tokens") + cached + written,
        output_tokens=count(usage, "output_tokens"),
        cached_input_tokens=cached,
        cache_write_tokens=written,
        reasoning_tokens=count(mapping(usage, "output_tokens_details"), "thinking_tokens"),
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
