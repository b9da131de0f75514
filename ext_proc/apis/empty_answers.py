"""Successes without an answer in them, told from models that had nothing to say."""

from typing import Any, Final

_OF_AN_END: Final = 3
"""Tokens that a model may use up to say that it has nothing to say, as Anthropic documents for empty `end_turn` answers.

https://docs.claude.com/en/api/handling-stop-reasons
"""


def says_nothing(usage: Any, name: str) -> bool:
    """Tell if the count called `name` shows that the model had nothing to say."""
    tokens = usage.get(name) if isinstance(usage, dict) else None
    return isinstance(tokens, int) and tokens <= _OF_AN_END
