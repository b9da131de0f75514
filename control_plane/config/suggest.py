"""What the user may have meant."""

import difflib
from collections.abc import Iterable
from typing import Final

UNNAMED: Final = "?"
"""Stands where a name is missing; never suggested."""

_LISTED: Final = 12
_COMPARED: Final = 400


def suggest(word: str, known: Iterable[str]) -> str:
    """Say what is there, to follow a sentence: `; did you mean X? Known: A, B`."""
    names = sorted(set(known) - {UNNAMED})
    if not names:
        return "; there are none"
    close = difflib.get_close_matches(word, names[:_COMPARED], n=1, cutoff=0.7)
    meant = f"; did you mean `{close[0]}`?" if close else "."
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{meant} Known: {', '.join(names[:_LISTED])}{more}"
