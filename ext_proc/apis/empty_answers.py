"""Distinguishes empty successful answers from models that deliberately returned nothing."""

from typing import Any, Final

_OF_AN_END: Final = 3
"""Maximum of output tokens of a deliberately empty answer, as Anthropic documents for empty `end_turn` answers.

https://docs.claude.com/en/api/handling-stop-reasons
"""


def says_nothing(usage: Any, name: str) -> bool:
    """Whether the count `name` shows that the model returned nothing on purpose."""
    tokens = usage.get(name) if isinstance(usage, dict) else None
    return isinstance(tokens, int) and tokens <= _OF_AN_END
