"""Redacts NACK messages: Envoy repeats the whole rejected message, including its secrets."""

import re
from typing import Final

_INLINE: Final = re.compile(r'(inline_(?:string|bytes)|\bkey):\s*"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)


def without_secrets(text: str) -> str:
    """Hide inline values in a text, such as passwords and keys. A truncated value is hidden, too."""
    return _INLINE.sub(r'\1: "[redacted]"', text)
