"""`usage` of a response <-> Usage."""

from collections.abc import Mapping

from ext_proc.apis.usage import NO_USAGE, Usage, count, mapping, written
from ext_proc.codec.json_body import JsonObject


def from_responses(usage: object) -> Usage:
    """Read `usage` of a response object."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    given = mapping(usage, "input_tokens_details")
    return Usage(
        input_tokens=count(usage, "input_tokens"),
        output_tokens=count(usage, "output_tokens"),
        cached_input_tokens=count(given, "cached_tokens"),
        cache_write_tokens=written(
            count(given, "cache_write_tokens"), count(usage, "input_tokens"), count(given, "cached_tokens")
        ),
        reasoning_tokens=count(mapping(usage, "output_tokens_details"), "reasoning_tokens"),
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
