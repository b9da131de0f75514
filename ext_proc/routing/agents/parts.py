"""Takes a question apart that asks for several things: each may be another agent's."""

import re
from typing import Final

_MAX_PARTS: Final = 6
_BETWEEN: Final = re.compile(
    r"[,;?.!]\s+(?:(?:and|then|also|please)\s+)*|\s+(?:and then|and also|and|then|plus)\s+", re.IGNORECASE
)


def parts_of(text: str) -> tuple[str, ...]:
    """Return the parts, of two words or more each; none if the question is one thing, or a whole story."""
    parts = [part.strip(" ,.?!") for part in _BETWEEN.split(text)]
    parts = [part for part in parts if len(part.split()) > 1]
    return tuple(parts) if 1 < len(parts) <= _MAX_PARTS else ()
