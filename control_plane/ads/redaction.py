"""What clients say of resources that they reject: Envoy repeats the whole message, with the secrets that are in it."""

import re
from typing import Final

_INLINE: Final = re.compile(r'(inline_(?:string|bytes)|\bkey):\s*"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.DOTALL)


def without_secrets(text: str) -> str:
    """Hide the values that stand inline in a text: passwords and keys among them. One that is cut off is hidden, too."""
    return _INLINE.sub(r'\1: "[redacted]"', text)
