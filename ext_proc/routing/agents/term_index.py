"""The inverted index of the built-in router: the agents of each stem, with weights.

The fewer agents share a term, the higher its weight: a term of all agents does not distinguish them.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from math import log
from typing import Final

from ext_proc.routing.agents.profile import WEAK_WEIGHT, Profile, Term
from ext_proc.routing.agents.topics import TOPICS, Topic
from ext_proc.routing.agents.words import family_of, plain_stem

TOPIC_WORD: Final = 0.85
TOPIC_HINT: Final = 0.4
RELATIVE: Final = 0.8
"""Weight of a word of the same family as one of the agent's own."""
CLAIMED: Final = 0.5
"""Remaining share of a topic's word if another agent has it in its own text."""
PAIR: Final = 0.5
"""Weight of two adjacent words of an agent's text that both occur in the question."""

Postings = dict[str, tuple[tuple[int, Term], ...]]
"""Stem -> agents (by their position) with the term."""
Pairs = dict[str, tuple[tuple[str, tuple[tuple[int, float], ...]], ...]]
"""Stem -> stems that stand after it -> agents with what both together add."""


@dataclass(frozen=True, slots=True)
class TermIndex:
    """The inverted index."""

    terms: Postings
    pairs: Pairs


def build_index(profiles: Sequence[Profile]) -> TermIndex:
    """Index the profiles of agents, which are identified by position."""
    return TermIndex(_terms(profiles), _pairs(profiles))


def _terms(profiles: Sequence[Profile]) -> Postings:
    rarity = _rarity(profiles)
    postings: dict[str, dict[int, Term]] = {}
    for agent, profile in enumerate(profiles):
        for stem, term in profile.terms.items():
            weight = term.weight if term.weight < 0 else term.weight * rarity[stem]
            if weight:
                postings.setdefault(stem, {})[agent] = Term(weight, term.surface)
    own_words = frozenset(
        stem for stem, by_agent in postings.items() if any(term.weight > TOPIC_WORD for term in by_agent.values())
    )
    for stem in own_words:
        _add_family(stem, postings)
    for topic in TOPICS:
        _add_topic(topic, postings, own_words)
    return {stem: tuple(by_agent.items()) for stem, by_agent in postings.items()}


def _rarity(profiles: Sequence[Profile]) -> dict[str, float]:
    """1 for a stem of one agent alone, 0 for one that all of them share."""
    sharing = Counter(stem for profile in profiles for stem, term in profile.terms.items() if term.weight > 0)
    everyone = log(max(2, len(profiles)))
    return {stem: log(max(2, len(profiles)) / count) / everyone for stem, count in sharing.items()}


def _pairs(profiles: Sequence[Profile]) -> Pairs:
    sharing: dict[tuple[str, str], list[int]] = {}
    for agent, profile in enumerate(profiles):
        for pair in profile.pairs:
            sharing.setdefault(pair, []).append(agent)
    everyone = log(max(2, len(profiles)))
    index: dict[str, dict[str, tuple[tuple[int, float], ...]]] = {}
    for (first, second), agents in sorted(sharing.items()):
        weight = PAIR * log(max(2, len(profiles)) / len(agents)) / everyone
        if weight > 0:
            index.setdefault(first, {})[second] = tuple((agent, weight) for agent in agents)
    return {first: tuple(seconds.items()) for first, seconds in index.items()}


def _add_family(stem: str, postings: dict[str, dict[int, Term]]) -> None:
    family = family_of(stem)
    for agent, term in postings[stem].items() if family else ():
        known = postings.setdefault(family, {}).get(agent, _NOTHING)
        if known.weight < term.weight * RELATIVE:
            postings[family][agent] = Term(term.weight * RELATIVE, term.surface)


def _add_topic(topic: Topic, postings: dict[str, dict[int, Term]], own_words: frozenset[str]) -> None:
    covering: dict[int, Term] = {}
    for name in topic.names:
        for agent, term in postings.get(plain_stem(name), {}).items():
            if term.weight > max(WEAK_WEIGHT, covering.get(agent, _NOTHING).weight):
                covering[agent] = term
    for words, worth in ((topic.words, TOPIC_WORD), (topic.hints, TOPIC_HINT)):
        for stem in {plain_stem(word) for word in words} if covering else ():
            by_agent = postings.setdefault(stem, {})
            # An agent's own words weigh more than this table's.
            claimed = CLAIMED if stem in own_words else 1.0
            for agent, named in covering.items():
                known = by_agent.get(agent, _NOTHING)
                weight = worth * claimed * min(1.0, named.weight)
                if 0 <= known.weight < weight:
                    by_agent[agent] = Term(weight, known.surface or named.surface)


_NOTHING: Final = Term(0.0, "")
