"""Suggestions for misspelt names."""

import difflib
from collections.abc import Iterable, Sequence
from typing import Final

UNNAMED: Final = "?"
"""Placeholder of a missing name; never suggested."""

_LISTED: Final = 12
_COMPARED: Final = 400


def suggest(word: str, known: Iterable[str]) -> str:
    """Return the end of a sentence: `; did you mean X? Known: A, B`."""
    names = sorted(set(known) - {UNNAMED, ""})
    if not names:
        return "; there are none"
    meant = did_you_mean(word, names) or "."
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    return f"{meant} Known: {', '.join(names[:_LISTED])}{more}"


def did_you_mean(word: str, names: Sequence[str]) -> str:
    """Return the end of a sentence with the closest name; empty if none is close."""
    close = difflib.get_close_matches(word, names[:_COMPARED], n=1, cutoff=0.7)
    return f"; did you mean `{close[0]}`?" if close else ""
