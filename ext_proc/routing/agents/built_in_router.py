"""The router that needs no model: matches conversations against the names and descriptions of agents.

Profiles (see `profile`) are compiled into an inverted index (see `term_index`). The latest question decides if it suffices;
if it continues the conversation ("and tomorrow?"), earlier messages are matched, the newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from ext_proc.apis.conversation import Conversation
from ext_proc.routing.agents.follow_up import is_agreement, is_follow_up, question_at_end
from ext_proc.routing.agents.parts import parts_of
from ext_proc.routing.agents.profile import WEAK_WEIGHT, Term, build_profile, telling_ids
from ext_proc.routing.agents.term_index import TOPIC_HINT, build_index
from ext_proc.routing.agents.words import family_of, stems_of, words_of

SURE: Final = 1.8
"""Minimum score of a certain match, if no other agent has more than half of it."""
_HALF: Final = 0.5
THRESHOLD: Final = 0.7
"""Minimum score of a match."""
FOLLOW_UP_THRESHOLD: Final = 0.35
"""Minimum score for questions that continue a conversation, which are shorter."""
NEARLY_EQUAL: Final = 0.8
"""If the scores of two agents differ by less than this factor, the one mentioned first answers."""
MAX_WEAK: Final = 0.5
"""Maximum total weight of common words."""

_MAX_CHARACTERS: Final = 4_096
_MAX_EARLIER_TURNS: Final = 8
_MAX_TERMS: Final = 4


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent that matches best."""

    agent: str
    score: float
    terms: tuple[str, ...]
    """Matching words, best first: of agents' names and descriptions, never the user's."""


@dataclass(slots=True)
class _Tally:
    """The score of one agent."""

    score: float = 0.0
    weak: float = 0.0
    first: int = 1_000_000
    """Position of the first matching word."""
    terms: list[Term] = field(default_factory=list)

    def add(self, term: Term, position: int) -> None:
        weight = term.weight
        if 0 < weight <= WEAK_WEIGHT:
            self.weak += weight
        else:
            self.score += weight
            if weight > TOPIC_HINT and position < self.first:
                self.first = position
            if weight > 0:
                self.terms.append(term)

    @property
    def total(self) -> float:
        return self.score + min(self.weak, MAX_WEAK)


_Scores = dict[int, _Tally]


class BuiltInRouter:
    """Matches conversations against names and descriptions."""

    def __init__(self, agents: Sequence[tuple[str, str]]) -> None:
        """Compile the profiles of agents, given as (id, description)."""
        self._ids = tuple(agent_id for agent_id, _ in agents)
        mentionable = telling_ids(self._ids)
        self._index = build_index([build_profile(agent_id, text, mentionable) for agent_id, text in agents])

    def scores(self, text: str) -> list[float]:
        """Return the scores of all agents, in their order."""
        scores = self._scores(_ends(text))
        return [scores[agent].total if agent in scores else 0.0 for agent in range(len(self._ids))]

    def sure(self, conversation: Conversation) -> Choice | None:
        """Return the match of the latest question if it has one subject and the match is certain; None otherwise."""
        latest = _ends(next((turn.text for turn in reversed(conversation) if turn.role == "user"), ""))
        if parts_of(latest):
            return None
        scores = self._scores(latest)
        choice = self._best(scores, SURE)
        if choice is None or sum(tally.total > _HALF * choice.score for tally in scores.values()) > 1:
            return None
        return choice

    def choose(self, conversation: Conversation) -> Choice | None:
        """Return the best match; None if nothing matches."""
        asked = [position for position, turn in enumerate(conversation) if turn.role == "user"]
        if not asked:
            return None
        latest = _ends(conversation[asked[-1]].text)
        scores = self._scores(latest)
        choice = self._best(scores, THRESHOLD)
        if choice is None and is_follow_up(latest):
            # Hints in the question itself have precedence over earlier messages.
            choice = self._best(scores, FOLLOW_UP_THRESHOLD) or self._earlier(conversation, asked)
        return choice

    def _earlier(self, conversation: Conversation, asked: list[int]) -> Choice | None:
        """Find the subject that the latest turn continues."""
        proposal = self._proposal(conversation, asked[-1])
        if proposal is not None and is_agreement(_ends(conversation[asked[-1]].text)):
            return proposal
        for position in reversed(asked[-_MAX_EARLIER_TURNS:-1]):
            text = _ends(conversation[position].text)
            choice = self._best(self._scores(text), THRESHOLD)
            # An independent question without a match changed the subject to an unknown one.
            if choice is not None or not is_follow_up(text):
                return choice
        return proposal

    def _proposal(self, conversation: Conversation, latest: int) -> Choice | None:
        """Match the assistant's last question: "Shall I look for flights?"."""
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
        terms, pairs = self._index.terms, self._index.pairs
        stems = stems_of(words_of(text))
        for stem, position in stems.items():
            found = terms.get(stem) or terms.get(family_of(stem))
            if found is None:
                continue
            for agent, term in found:
                tally = scores.get(agent)
                if tally is None:
                    tally = scores[agent] = _Tally()
                tally.add(term, position)
            for other, agents in pairs.get(stem, ()):
                if other in stems:
                    for agent, weight in agents:
                        if agent in scores:
                            scores[agent].score += weight
        return scores


def _ends(text: str) -> str:
    """Omit the middle of a very long text: the question is at its start or at its end."""
    if len(text) <= _MAX_CHARACTERS:
        return text
    half = _MAX_CHARACTERS // 2
    return f"{text[:half]} {text[-half:]}"
