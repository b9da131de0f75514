"""Splits a question about several subjects, which may need several agents."""

import re
from typing import Final

_MAX_PARTS: Final = 6
_BETWEEN: Final = re.compile(
    r"[,;?.!]\s+(?:(?:and|then|also|please)\s+)*|\s+(?:and then|and also|and|then|plus)\s+", re.IGNORECASE
)


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts, of at least two words each; none if the question has one subject, or is too long."""
    parts = [part.strip(" ,.?!") for part in _BETWEEN.split(text)]
    parts = [part for part in parts if len(part.split()) > 1]
    return tuple(parts) if 1 < len(parts) <= _MAX_PARTS else ()
