"""Text -> words -> stems, for descriptions and for questions.

The stemmer is light on purpose: plurals, -ing, -ed and a final e. Heavier ones merge words that distinguish agents.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from ext_proc.routing.agents.vocabulary import IRREGULAR_STEMS, STOP_WORDS, WEAK_WORDS

FROM_TO: Final = "from…to"
"""Pseudo-word for a pair of places or values, "from X to Y", which no text can contain."""

# Words (with `c++` and `c#`), and symbols: emoji and currency signs are meaningful.
_ASCII_WORD: Final = re.compile(r"[a-z0-9]+(?:\+\+|#)?|\$")
_ASCII_LETTERS: Final = str.maketrans({chr(code): chr(code).lower() if chr(code).isalnum() else " " for code in range(128)})
_WORD: Final = re.compile(r"[^\W_]+(?:\+\+|#)?|\$|[^\w\s\x00-\x7f]")
_NOT_SPACED: Final = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")
"""Scripts without spaces between words, or with attached particles."""
_PHRASES: Final = (("log", "in", "login"), ("log", "on", "login"), ("sign", "in", "login"), ("check", "in", "checkin"))
"""Verbs whose meaning depends on the next word."""
_VOWELS: Final = frozenset("aeiouy")
_TYPOGRAPHY: Final = re.compile("[\u2010-\u2027\u00a0]")
"""Dashes, curly quotes and similar: replaced first, because most texts are ASCII without them."""
_MARKS: Final = re.compile(r"[\u0300-\u036f\ufe0f]")
"""Accents, and the emoji variation selector."""
_COMPOUND: Final = re.compile(r"\b([A-Za-z]{1,2})-(?=[A-Za-z])")
"""Wi-Fi, e-mail, re-sit: often written as one word."""
_DERIVED: Final = (
    *("ment", "ance", "ence", "able", "ible", "ion", "ant", "ent", "ist", "ure", "ive"),
    *("or", "er", "ar", "en", "al", "ly", "ur", "ic", "y"),
)
"""Endings of words made from other words, the longest first."""
_LONGEST_WORD: Final = 64
"""Maximum length of cached words: without it, clients could make 16,384 of them take 64 MiB."""
_SHORTEST_FAMILY: Final = 5
_ENDINGS: Final = ("ing", "ed")


def words_of(text: str) -> list[str]:
    """Split into words in lower case, in order; text in scripts without spaces becomes pairs of characters."""
    if "-" in text:
        text = _COMPOUND.sub(r"\1", text)
    if not text.isascii():
        text = _TYPOGRAPHY.sub(" ", text)
    if text.isascii():
        if "+" in text or "#" in text or "$" in text:
            return _ASCII_WORD.findall(text.lower())
        # The same, several times faster, for text of letters, digits and separators.
        return text.translate(_ASCII_LETTERS).split()
    text = _unaccented(text)
    words = _WORD.findall(text)
    return [piece for word in words for piece in _pieces(word)] if _NOT_SPACED.search(text) else words


def stems_of(words: list[str]) -> dict[str, int]:
    """Return the stems of content words and the position of their first use."""
    # Backwards, so that the first position is the one that stays; each distinct word is looked at once.
    positions = dict(zip(reversed(words), range(len(words) - 1, -1, -1), strict=True))
    stems: dict[str, int] = {}
    for word, position in positions.items():
        stem = stem_of(word)
        if stem and position <= stems.get(stem, position):
            stems[stem] = position
    for first, second, stem in _PHRASES:
        if first in stems and words[stems[first] + 1 : stems[first] + 2] == [second]:
            stems[stem] = stems[first]
    if "from" in positions and ("there" in positions or "to" in words[positions["from"] + 2 :]):
        stems[FROM_TO] = positions["from"]
    return stems


def stem_of(word: str) -> str:
    """Return the stem; "" for a word without meaning of its own, or one that is too long."""
    return _stem_of(word) if len(word) <= _LONGEST_WORD else ""


@lru_cache(maxsize=16_384)
def _stem_of(word: str) -> str:
    if word in STOP_WORDS or (len(word) == 1 and word.isascii() and word.isalnum()):
        return ""
    return plain_stem(word)


def plain_stem(word: str) -> str:
    """Return the stem of a word in lower case."""
    if word in IRREGULAR_STEMS:
        return IRREGULAR_STEMS[word]
    if len(word) < 4 or not word.isalpha() or not word.isascii():
        return word
    stem = _without_suffix(_singular(word))
    return stem[:-1] if stem.endswith("e") and len(stem) > 5 else stem


@lru_cache(maxsize=16_384)
def family_of(stem: str) -> str:
    """Return the common prefix of related stems (counsellor, counselling; allergy, allergens); "" if it is too short."""
    for ending in _DERIVED:
        if stem.endswith(ending) and len(stem) - len(ending) >= _SHORTEST_FAMILY:
            return f"~{stem[: -len(ending)]}"
    return f"~{stem}" if len(stem) >= _SHORTEST_FAMILY and stem.isalpha() and stem.isascii() else ""


@lru_cache(maxsize=1)
def weak_stems() -> frozenset[str]:
    """Return the stems of words that occur everywhere."""
    return frozenset(plain_stem(word) for word in WEAK_WORDS)


def _singular(word: str) -> str:
    if not word.endswith("s") or word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    return word[:-1]


def _without_suffix(word: str) -> str:
    for ending in _ENDINGS:
        stem = word[: -len(ending)]
        if word.endswith(ending) and len(stem) >= 3 and not _VOWELS.isdisjoint(stem):
            return _repaired(stem)
    return word


def _repaired(stem: str) -> str:
    """Restore the spelling of a stem without its ending: planning -> plan, pricing -> price, hiring -> hire."""
    last, before = stem[-1], stem[-2]
    if last == before and last not in "lsz":
        return stem[:-1]
    if last in "cvu" or (last == "g" and before == "n" and len(stem) > 4) or _is_short_syllable(stem):
        return f"{stem}e"
    return stem


def _is_short_syllable(stem: str) -> bool:
    consonants = [letter not in _VOWELS for letter in stem]
    return consonants[-3:] == [True, False, True] and sum(not c for c in consonants) == 1 and stem[-1] not in "wx"


def _unaccented(text: str) -> str:
    bare = _MARKS.sub("", unicodedata.normalize("NFKD", text.lower()))
    # Composed again for scripts (Hangul, kana) whose letters are built of other marks.
    return unicodedata.normalize("NFC", bare)


def _pieces(word: str) -> Iterator[str]:
    if word.isascii() or len(word) < 3 or not _NOT_SPACED.search(word):
        yield word
    else:
        yield from (word[start : start + 2] for start in range(len(word) - 1))
