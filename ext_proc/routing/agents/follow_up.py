"""Distinguishes a question that continues a conversation ("and tomorrow?") from an independent one ("write me a poem")."""

import re
from typing import Final

from ext_proc.routing.agents.words import stem_of, words_of


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_REFERENCES: Final = _words(
    """
    again another both earlier either he her here him his instead it its later more one ones same she that their theirs them
    there these they this those too which
    """
)
"""Words that refer to previous messages."""

_OPENERS: Final = _words(
    """
    actually also alternatively and but cool great instead no nope now ok okay or perfect please plus really so sure thank
    thanks then why yeah yep yes
    """
)
_OPENING_PHRASES: Final = (("what", "about"), ("how", "about"), ("what", "if"), ("any", "other"))
_AGREEMENT: Final = _words(
    """
    absolutely ahead correct course definitely do go good great i it like of ok okay please right sounds sure thanks that to
    would yeah yep yes yup
    """
)
_GREETINGS: Final = _words(
    """
    afternoon are bye day evening good goodbye greetings hello hey hi hiya how howdy morning there you
    """
)
_FRESH_STARTS: Final = _words(
    """
    compose create define design draw explain generate imagine paint play recommend sing solve summarise summarize tell
    translate who write
    """
)
"""First words of independent requests, unless they refer to previous messages."""

_MAX_NEW_WORDS: Final = 2
_MAX_NEW_WORDS_AFTER_OPENER: Final = 4
_MAX_FRAGMENT: Final = 3
"""Words of a fragment such as "in Celsius" or "London?"."""

_CAPITALISED: Final = re.compile(r"(?<=\S )[A-Z][\w'\u2019-]*")


def is_follow_up(text: str) -> bool:
    """Whether `text` depends on previous messages."""
    words = words_of(text)
    if not words or _GREETINGS.issuperset(words):
        return False
    new_words = _new_words(text)
    if words[0] in _OPENERS or tuple(words[:2]) in _OPENING_PHRASES:
        return new_words <= _MAX_NEW_WORDS_AFTER_OPENER
    refers = not _REFERENCES.isdisjoint(words)
    if words[0] in _FRESH_STARTS:
        return refers and new_words == 0
    return new_words <= _MAX_NEW_WORDS if refers else new_words == 0 or len(words) <= _MAX_FRAGMENT


def is_agreement(text: str) -> bool:
    """Whether `text` only agrees with a proposal."""
    words = words_of(text)
    return bool(words) and _AGREEMENT.issuperset(words)


def question_at_end(text: str) -> str:
    """Return the question at the end of `text`; empty if there is none."""
    text = text.rstrip()
    return re.split(r"[.!?\n]", text[:-1])[-1] if text.endswith(("?", "\uff1f")) else ""


def _new_words(text: str) -> int:
    """Count words with a meaning of their own, without names of people and places, which complete an earlier question."""
    words = set(words_of(_CAPITALISED.sub("", text))) - _REFERENCES - _FRESH_STARTS
    return sum(1 for word in words if stem_of(word) and not word.isnumeric())
