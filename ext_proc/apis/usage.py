"""Token usage in a common form; the `usage` module of each API converts it.

APIs count differently: OpenAI's input includes the tokens read from and written to the prompt cache, Anthropic's excludes both.
Usage counts like OpenAI, so that totals can be added across APIs.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """Tokens of one exchange."""

    input_tokens: int = 0
    """Input tokens, cached or not."""
    output_tokens: int = 0
    """Output tokens, including reasoning."""
    cached_input_tokens: int = 0
    """Part of the input: read from the provider's prompt cache."""
    cache_write_tokens: int = 0
    """Part of the input: written to the provider's prompt cache."""
    reasoning_tokens: int = 0
    """Part of the output: reasoning."""

    @property
    def total_tokens(self) -> int:
        """Input and output."""
        return self.input_tokens + self.output_tokens


NO_USAGE = Usage()


def mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return an object inside another, empty if there is none."""
    value = parent.get(name)
    return value if isinstance(value, Mapping) else {}


def count(parent: Mapping[str, Any], name: str) -> int:
    """Read a count; providers write null, and some write floats."""
    value = parent.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**53:
        return 0
    return int(value)


def written(written: int, given: int, cached: int) -> int:
    """Return the tokens written to the cache: for Gemini, OpenRouter counts tokens both as read and as written."""
    return min(written, max(0, given - cached))
