"""`usage` of an answer of Converse <-> Usage."""

from collections.abc import Mapping

from ext_proc.apis.usage import NO_USAGE, Usage, count


def from_converse(usage: object) -> Usage:
    """Read `usage` of an answer of Amazon Bedrock, which counts like Anthropic."""
    if not isinstance(usage, Mapping):
        return NO_USAGE
    cached, written = count(usage, "cacheReadInputTokens"), count(usage, "cacheWriteInputTokens")
    return Usage(
        input_tokens=count(usage, "inputTokens") + cached + written,
        output_tokens=count(usage, "outputTokens"),
        cached_input_tokens=cached,
        cache_write_tokens=written,
    )
