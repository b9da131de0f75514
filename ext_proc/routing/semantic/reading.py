"""Selects the texts of a conversation to compare, and interprets their nearness to agents. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ext_proc.apis.conversation import Conversation
from ext_proc.routing.agents.follow_up import is_agreement, is_follow_up, question_at_end
from ext_proc.routing.agents.parts import parts_of
from ext_proc.routing.agents.semantic_rung import Meant
from ext_proc.routing.semantic.index import Nearness

FITS: Final = 0.2
"""Minimum margin of a matching agent."""
STANDS_ALONE: Final = 0.7
"""The same for a question that continues a conversation, without its context."""
NAMED: Final = 0.9
"""The same for a part of a question."""
_HINT: Final = 0.5
"""Weight of a follow-up question, relative to the question that it continues."""
_LEAST_HINT: Final = -0.6

_MAX_EARLIER_TURNS: Final = 4
_MAX_CHARACTERS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Reading:
    """The relevant texts of one conversation."""

    latest: str
    parts: tuple[str, ...]
    """The parts of the latest question; empty if there is only one."""
    is_follow_up: bool
    proposal: str
    """The proposal that the latest turn agrees to; empty if there is none."""
    earlier: tuple[str, ...]
    """Earlier user messages, the newest first; only for a follow-up question."""

    @property
    def texts(self) -> tuple[str, ...]:
        """All of them, each once."""
        return tuple(dict.fromkeys(text for text in (self.latest, *self.parts, self.proposal, *self.earlier) if text))


def read(conversation: Conversation) -> Reading | None:
    """Select the relevant texts; None without a question."""
    asked = [position for position, turn in enumerate(conversation) if turn.role == "user"]
    if not asked:
        return None
    latest = shortened(conversation[asked[-1]].text)
    if len(asked) < 2 or not is_follow_up(latest):
        return Reading(latest, parts_of(latest), is_follow_up=False, proposal="", earlier=())
    earlier = tuple(shortened(conversation[position].text) for position in reversed(asked[-1 - _MAX_EARLIER_TURNS : -1]))
    before = conversation[asked[-1] - 1]
    proposal = question_at_end(before.text[-_MAX_CHARACTERS:]) if before.role == "assistant" and is_agreement(latest) else ""
    return Reading(latest, parts_of(latest), is_follow_up=True, proposal=proposal.strip(), earlier=earlier)


def interpret(reading: Reading, ids: Sequence[str], nearness: Mapping[str, Nearness]) -> Meant:
    """Decide by the nearness of each text."""
    latest = nearness[reading.latest]
    several = _several(reading, latest, nearness)
    if several:
        names = tuple(ids[agent] for agent in several)
        return Meant(names, f"parts of the question fit {', '.join(names)}")
    if latest.margins.max() > (STANDS_ALONE if reading.is_follow_up else FITS):
        return _best(ids, latest.margins)
    return _continued(reading, ids, nearness) if reading.is_follow_up else _none(ids, latest.margins)


def shortened(text: str) -> str:
    """Omit the middle of a long text: the question is at its start or at its end."""
    if len(text) <= _MAX_CHARACTERS:
        return text
    half = _MAX_CHARACTERS // 2
    return f"{text[:half]} {text[-half:]}"


def _several(reading: Reading, whole: Nearness, nearness: Mapping[str, Nearness]) -> tuple[int, ...]:
    """Return the agents that parts of the question clearly match, if there are several and the whole does not contradict."""
    margins = [nearness[part].margins for part in reading.parts]
    named = dict.fromkeys(int(margin.argmax()) for margin in margins if margin.max() > NAMED)
    meant = tuple(agent for agent in named if whole.margins[agent] > 0)
    return meant if len(meant) > 1 else ()


def _continued(reading: Reading, ids: Sequence[str], nearness: Mapping[str, Nearness]) -> Meant:
    """Find the subject that a question continues."""
    latest = nearness[reading.latest]
    if latest.is_closing:
        return _none(ids, latest.margins)
    if reading.proposal and nearness[reading.proposal].margins.max() > FITS:
        return _best(ids, nearness[reading.proposal].margins)
    for text in reading.earlier:
        margins = nearness[text].margins
        if margins.max() > FITS:
            hints = _HINT * np.maximum(latest.margins, _LEAST_HINT)
            return _best(ids, np.asarray(np.maximum(margins, 0) + hints, dtype=np.float32))
        if not is_follow_up(text):
            break
    return _best(ids, latest.margins) if latest.margins.max() > FITS else _none(ids, latest.margins)


def _best(ids: Sequence[str], margins: npt.NDArray[np.float32]) -> Meant:
    first, *others = np.argsort(-margins, kind="stable")
    then = f", then {ids[others[0]]} {margins[others[0]]:.2f}" if others else ""
    return Meant((ids[first],), f"score {margins[first]:.2f}{then}")


def _none(ids: Sequence[str], margins: npt.NDArray[np.float32]) -> Meant:
    nearest = int(margins.argmax())
    return Meant((), f"nothing is near enough: {ids[nearest]} {margins[nearest]:.2f}")
