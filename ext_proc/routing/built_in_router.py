"""The router that needs no model: matches conversations against the names and descriptions of agents.

Profiles (see `profile`) are compiled into an inverted index: stem -> the agents that it speaks for, and how loudly. A term
weighs by how few agents share it. The latest question decides if it says enough; for one that continues the conversation ("and
tomorrow?") what came before is looked at, the newest first.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import log
from typing import Final

from ext_proc.apis.conversation import Conversation
from ext_proc.routing.follow_up import is_agreement, is_follow_up, question_at_end
from ext_proc.routing.profile import WEAK_WEIGHT, Profile, Term, build_profile
from ext_proc.routing.topics import TOPICS, Topic
from ext_proc.routing.words import plain_stem, stems_of, words_of

THRESHOLD: Final = 0.7
"""A score below it is chance."""
TOPIC_WORD: Final = 0.85
TOPIC_HINT: Final = 0.4
FOLLOW_UP_THRESHOLD: Final = 0.35
"""In a question that continues a conversation less is said, and less is enough."""
NEARLY_EQUAL: Final = 0.8
"""Of two agents whose scores differ by less than this factor, the one that was spoken of first answers."""
MAX_WEAK: Final = 0.5
"""What words that turn up anywhere can add up to."""

_MAX_CHARACTERS: Final = 4_096
_MAX_EARLIER_TURNS: Final = 8
_MAX_TERMS: Final = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent that matches best."""

    agent: str
    score: float
    terms: tuple[str, ...]
    """What matched, best first: words of the agents' own names and descriptions, never the user's."""


@dataclass(slots=True)
class _Tally:
    """What speaks for one agent."""

    score: float = 0.0
    weak: float = 0.0
    first: int = 1_000_000
    """Position of the first word that spoke for it."""
    terms: list[Term] = field(default_factory=list)

    @property
    def total(self) -> float:
        return self.score + min(self.weak, MAX_WEAK)


_Scores = dict[int, _Tally]


class BuiltInRouter:
    """Matches conversations against names and descriptions."""

    def __init__(self, agents: Sequence[tuple[str, str]]) -> None:
        """Compile the profiles of agents, given as (id, description)."""
        self._ids = tuple(agent_id for agent_id, _ in agents)
        self._index = _index([build_profile(agent_id, text, set(self._ids) - {agent_id}) for agent_id, text in agents])

    def choose(self, conversation: Conversation) -> Choice | None:
        """Return the best match, or None if nothing fits."""
        asked = [position for position, turn in enumerate(conversation) if turn.role == "user"]
        if not asked:
            return None
        latest = conversation[asked[-1]].text
        scores = self._scores(latest)
        choice = self._best(scores, THRESHOLD)
        if choice is None and is_follow_up(latest):
            # What the question itself hints at comes before what was spoken of earlier.
            choice = self._best(scores, FOLLOW_UP_THRESHOLD) or self._earlier(conversation, asked)
        return choice

    def _earlier(self, conversation: Conversation, asked: list[int]) -> Choice | None:
        """Find the subject that the latest turn continues."""
        proposal = self._proposal(conversation, asked[-1])
        if proposal is not None and is_agreement(conversation[asked[-1]].text):
            return proposal
        for position in reversed(asked[-_MAX_EARLIER_TURNS:-1]):
            text = conversation[position].text
            choice = self._best(self._scores(text), THRESHOLD)
            # A question that stood on its own and matched nobody changed the subject to something unknown.
            if choice is not None or not is_follow_up(text):
                return choice
        return proposal

    def _proposal(self, conversation: Conversation, latest: int) -> Choice | None:
        """Read the question that the assistant asked last: "Shall I look for flights?"."""
        before = conversation[latest - 1] if latest else None
        if before is None or before.role != "assistant":
            return None
        return self._best(self._scores(question_at_end(before.text[-_MAX_CHARACTERS:])), THRESHOLD)

    def _best(self, scores: _Scores, threshold: float) -> Choice | None:
        best = max((tally.total for tally in scores.values()), default=0.0)
        if best < threshold:
            return None
        enough = max(threshold, best * NEARLY_EQUAL)
        agent = min((tally.first, agent) for agent, tally in scores.items() if tally.total >= enough)[1]
        tally = scores[agent]
        surfaces = (term.surface for term in sorted(tally.terms, key=lambda term: -term.weight))
        return Choice(self._ids[agent], tally.total, tuple(dict.fromkeys(surfaces))[:_MAX_TERMS])

    def _scores(self, text: str) -> _Scores:
        scores: _Scores = {}
        for stem, position in stems_of(words_of(_ends(text))).items():
            for agent, term in self._index.get(stem, ()):
                tally = scores.get(agent)
                if tally is None:
                    tally = scores[agent] = _Tally()
                if 0 < term.weight <= WEAK_WEIGHT:
                    tally.weak += term.weight
                else:
                    tally.score += term.weight
                    tally.first = min(tally.first, position)
                if term.weight > 0:
                    tally.terms.append(term)
        return scores


def _ends(text: str) -> str:
    """Leave the middle out of a very long text: what is wanted stands at its start or at its end."""
    if len(text) <= _MAX_CHARACTERS:
        return text
    half = _MAX_CHARACTERS // 2
    return f"{text[:half]} {text[-half:]}"


def _index(profiles: list[Profile]) -> dict[str, tuple[tuple[int, Term], ...]]:
    rarity = _rarity(profiles)
    postings: dict[str, dict[int, Term]] = {}
    for agent, profile in enumerate(profiles):
        for stem, term in profile.items():
            weight = term.weight if term.weight < 0 else term.weight * rarity[stem]
            if weight:
                postings.setdefault(stem, {})[agent] = Term(weight, term.surface)
    for topic in TOPICS:
        _add_topic(topic, postings)
    return {stem: tuple(by_agent.items()) for stem, by_agent in postings.items()}


def _rarity(profiles: list[Profile]) -> dict[str, float]:
    """1 for a stem of one agent alone, 0 for one that all of them share."""
    sharing = Counter(stem for profile in profiles for stem, term in profile.items() if term.weight > 0)
    everyone = log(max(2, len(profiles)))
    return {stem: log(max(2, len(profiles)) / count) / everyone for stem, count in sharing.items()}


def _add_topic(topic: Topic, postings: dict[str, dict[int, Term]]) -> None:
    covering: dict[int, Term] = {}
    for name in topic.names:
        for agent, term in postings.get(plain_stem(name), {}).items():
            if term.weight > max(WEAK_WEIGHT, covering.get(agent, _NOTHING).weight):
                covering[agent] = term
    for words, worth in ((topic.words, TOPIC_WORD), (topic.hints, TOPIC_HINT)):
        for stem in {plain_stem(word) for word in words}:
            for agent, named in covering.items():
                known = postings.setdefault(stem, {}).get(agent, _NOTHING)
                weight = worth * min(1.0, named.weight)
                if 0 <= known.weight < weight:
                    postings[stem][agent] = Term(weight, known.surface or named.surface)


_NOTHING: Final = Term(0.0, "")
