"""Normalised texts for signals: words in lower case without punctuation, and the similarity of texts."""

from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

_QUOTES: Final = "'`\u2018\u2019\u02bc"
_SPACES: Final = '!"#$%&()*+,-./:;<=>?@[\\]^_{|}~\u201c\u201d\u2013\u2014\u2026\u00bf\u00a1'
_TABLE: Final = str.maketrans(dict.fromkeys(_SPACES, " ") | dict.fromkeys(_QUOTES))
"""An apostrophe is dropped, so that "dont" is "don't"; other punctuation parts words."""

STOPWORDS: Final = frozenset(
    word
    for line in (
        "a about all also an and any are as at be been but by can could did do does for from get give had has have he",
        "her here him his how i if in into is it its just like me my no not now of on one or our out please she should",
        "show so some tell than that the their them then there these they this to too up us want was we were what when",
        "where which who why will with would you your",
    )
    for word in line.split()
)
"""English words that say little about what is wanted."""


@dataclass(frozen=True, slots=True)
class Text:
    """A text, and its words."""

    raw: str
    words: tuple[str, ...]
    distinct: frozenset[str]


@lru_cache(maxsize=1024)
def read_text(raw: str) -> Text:
    """Split a text into words. Conversations are sent again with each request, so texts are cached."""
    words = tuple(raw.translate(_TABLE).lower().split())
    return Text(raw, words, frozenset(words))


def trigrams(words: Collection[str]) -> frozenset[str]:
    """Return all sequences of three characters."""
    joined = " ".join(words)
    return frozenset(joined[start : start + 3] for start in range(len(joined) - 2))


def jaccard(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard similarity of two sets, from 0 to 1."""
    common = len(one & other)
    total = len(one) + len(other) - common
    return common / total if total else 0.0
