"""The profile of an agent: weighted terms of its id and description.

Descriptions are prose: they quote example questions, and they mention other agents' subjects in order to exclude them ("when a
query includes both weather and flights, this agent answers ONLY the weather part"). Excluded subjects must not match.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from ext_proc.routing.agents.words import plain_stem, stem_of, weak_stems, words_of

ID_WEIGHT: Final = 1.5
EXAMPLE_WEIGHT: Final = 1.15
TEXT_WEIGHT: Final = 1.0
REPEATED_BONUS: Final = 0.15
WEAK_WEIGHT: Final = 0.2
"""Weight of words that occur in descriptions of anything."""
EXCLUDED_WEIGHT: Final = -0.8
"""Weight of excluded subjects."""


@dataclass(frozen=True, slots=True)
class Term:
    """The weight of one stem for an agent."""

    weight: float
    surface: str
    """The word in the agent's own text, safe to show."""


@dataclass(frozen=True, slots=True)
class Profile:
    """The matchable terms of one agent."""

    terms: dict[str, Term]
    """By stem."""
    pairs: frozenset[tuple[str, str]]
    """Adjacent stems: "cancelled flights" is more specific than its words."""


_CAMEL: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[_\W]+")
_NAMED_LIKE_AN_AGENT: Final = re.compile(r"\b[A-Z]\w+(?:Agent|Assistant|Bot|Service|Expert)\b")
_QUOTED: Final = re.compile(r"[\"“]([^\"“”\n]{2,200})[\"”]")
_PLACEHOLDER: Final = re.compile(r"[\[<{][^\]>}]{1,40}[\]>}]")
_NAME_INSIDE: Final = re.compile(r"(?<=[\w,] )[A-Z][a-z]+")
_ABBREVIATION: Final = re.compile(r"\b(e\.g|i\.e|etc|vs)\.", re.IGNORECASE)
_SENTENCE_END: Final = re.compile(r"(?<=[.!?;])\s+|\n\s*(?:[*•-]\s+|\n|(?=[A-Z]))")

_OTHERS: Final = re.compile(r"\bother\b[^.;()]{0,200}\([^)]{0,200}\)", re.IGNORECASE)
_MIXED: Final = re.compile(r"\b(?:both|other|when|if)\b", re.IGNORECASE)
_ONLY: Final = re.compile(r"\bonly\b", re.IGNORECASE)
_NOT_ONLY: Final = re.compile(r"\bnot only\b", re.IGNORECASE)
_SYMPTOM: Final = (
    r"(?!\s+(?:work|start|load|respond|connect|open|charge|arrive|appear|print|boot|turn|reach|fit)(?:s|ed|ing)?\b)"
)
"""Negated verbs that describe problems ("when the Wi-Fi does not work"), not exclusions."""
_REFUSED: Final = re.compile(
    rf"\b(?:(?:not|never|cannot|(?:ca|wo|does|do|is|are)n['\u2019]t)\b{_SYMPTOM}|(?:except|excluding|excludes?)\b)"
    r"[^.;)]*?(?=\bbut\b|[.;)]|$)",
    re.IGNORECASE | re.DOTALL,
)
_ASIDE: Final = re.compile(
    r"\b(?:no|without|unlike|instead of|rather than|other than|hands? (?:off|over)|handed (?:off|over)|handled (?:by|elsewhere)"
    r"|escalates?|defers?|refers?|belongs? to)\b[^.;)]*?(?=\bbut\b|[.;)]|$)",
    re.IGNORECASE | re.DOTALL,
)
_ABOUT_TALKING: Final = re.compile(
    r"\b(?:conversation|context|previous(?:ly)?|follow-?ups?|pronouns?|messages? history|earlier (?:turns?|messages?))\b",
    re.IGNORECASE,
)
"""Sentences about an agent's handling of conversations, whose words are not its subjects."""


def telling_ids(agent_ids: Iterable[str]) -> frozenset[str]:
    """Return the ids that are unambiguous: an id that is a plain word ("flights") may be used as that word."""
    return frozenset(agent_id for agent_id in agent_ids if not agent_id.isalpha())


def build_profile(agent_id: str, description: str, mentionable: Set[str] = frozenset()) -> Profile:
    """Weigh the words of an agent's id and description; sentences that name another agent are ignored."""
    read = _Reader()
    read.name(agent_id)
    text = _NAMED_LIKE_AN_AGENT.sub(lambda found: " ".join(_CAMEL.split(found[0])), description)
    for sentence, quotes in _sentences(text):
        if not mentionable & set(re.findall(r"[\w-]+", sentence)) - {agent_id}:
            read.sentence(sentence, quotes)
    return read.profile()


class _Reader:
    def __init__(self) -> None:
        self._best: dict[str, float] = {}
        self._surface: dict[str, str] = {}
        self._count: Counter[str] = Counter()
        self._refused: dict[str, str] = {}
        self._pairs: set[tuple[str, str]] = set()

    def name(self, agent_id: str) -> None:
        for part in _CAMEL.split(agent_id):
            self._words(words_of(part), ID_WEIGHT, weak=TEXT_WEIGHT)

    def sentence(self, sentence: str, quotes: list[str]) -> None:
        text = _without_others(sentence)
        for refused in _REFUSED.findall(text):
            self._refused.update((plain_stem(word), word) for word in words_of(refused))
        kept = _without_refusals(text)
        weak = WEAK_WEIGHT
        self._words(
            words_of(re.sub(r"\x00\d+\x00", " ", kept)), WEAK_WEIGHT if _ABOUT_TALKING.search(kept) else TEXT_WEIGHT, weak=weak
        )
        for index in re.findall(r"\x00(\d+)\x00", kept):
            # Names inside an example are incidental: flights "from London" do not make London a subject.
            example = _NAME_INSIDE.sub("", _PLACEHOLDER.sub("", quotes[int(index)]))
            self._words(words_of(example), EXAMPLE_WEIGHT, weak=weak)

    def _words(self, words: list[str], weight: float, *, weak: float) -> None:
        self._pairs.update(pair for pair in pairwise(map(stem_of, words)) if all(pair) and weak_stems().isdisjoint(pair))
        for word in words:
            stem = stem_of(word)
            if stem:
                worth = min(weight, weak) if stem in weak_stems() else weight
                if worth > self._best.get(stem, 0):
                    self._best[stem] = worth
                    self._surface[stem] = word
                self._count[stem] += 1

    def profile(self) -> Profile:
        bonus = {stem: REPEATED_BONUS for stem, count in self._count.items() if count > 1 and stem not in weak_stems()}
        terms = {stem: Term(weight + bonus.get(stem, 0), self._surface[stem]) for stem, weight in self._best.items()}
        for stem, word in self._refused.items():
            if stem not in terms and stem_of(word) and stem not in weak_stems():
                terms[stem] = Term(EXCLUDED_WEIGHT, word)
        return Profile(terms, frozenset(self._pairs))


def read_passages(agent_id: str, description: str, mentionable: Set[str] = frozenset()) -> Iterator[tuple[str, list[str]]]:
    """Yield the sentences about an agent, each with its quoted examples and without excluded subjects."""
    yield " ".join(part for part in _CAMEL.split(agent_id) if part), []
    for sentence, quotes in _sentences(description):
        kept = _without_refusals(_without_others(sentence))
        if _ABOUT_TALKING.search(kept) or mentionable & set(re.findall(r"[\w-]+", sentence)) - {agent_id}:
            continue
        examples = [_PLACEHOLDER.sub("it", quotes[int(index)]) for index in re.findall(r"\x00(\d+)\x00", kept)]
        yield re.sub(r"\x00\d+\x00", " ", kept), examples


def _without_others(sentence: str) -> str:
    """Remove other agents' subjects from a sentence."""
    return _what_remains(_OTHERS.sub("", _NOT_ONLY.sub("", sentence)))


def _without_refusals(text: str) -> str:
    return _ASIDE.sub("", _REFUSED.sub("", text))


def _what_remains(text: str) -> str:
    """Remove the part before "only" in "when a query includes both a and b, answers only a"."""
    mixed = _MIXED.search(text)
    only = _ONLY.search(text, mixed.end()) if mixed else None
    return text[: mixed.start()] + text[only.end() :] if mixed and only else text


def _sentences(text: str) -> Iterator[tuple[str, list[str]]]:
    """Split into sentences, with quotations replaced by NUL-enclosed numbers: a quoted question ends no sentence."""
    quotes: list[str] = []

    def stash(found: re.Match[str]) -> str:
        quotes.append(found[1])
        return f" \x00{len(quotes) - 1}\x00 "

    plain = _QUOTED.sub(stash, _ABBREVIATION.sub(lambda found: found[1].replace(".", ""), text.replace("\x00", " ")))
    for sentence in _SENTENCE_END.split(plain):
        yield sentence, quotes
