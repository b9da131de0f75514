"""Analyses the signals of a conversation: less than 1 ms for 50 turns of a few sentences."""

import re
import string
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ext_proc.signals.loops import LoopKind, find_loops
from ext_proc.signals.phrases import NOT_MEANT, PHRASES, POSITIVE_BEGINNINGS
from ext_proc.signals.report import Metadata, Report, Signal
from ext_proc.signals.results import read_result
from ext_proc.signals.rows import Row
from ext_proc.signals.texts import STOPWORDS, Text, jaccard, read_text, trigrams

_TURNS: Final = 5
"""Typical number of user messages."""
_DECAY: Final = 0.3
"""Decrease of efficiency per further message."""
_DRAGGING: Final = 0.5

_SNIPPET: Final = 100

_MISALIGNMENTS: Final = ("correction", "rephrase", "clarification")
_SATISFACTIONS: Final = ("gratitude", "confirmation", "success")
_LEAVING: Final = ("escalation", "quit")
_LOUD: Final = re.compile(r"\?\s*\?|!\s*!|\?\s*!|!\s*\?")
_LEAST_LETTERS: Final = 10
_CAPITALS: Final = 0.8
_LOWER: Final = string.ascii_lowercase.encode()
_UPPER: Final = string.ascii_uppercase.encode()

_NEAR: Final = 3
"""Rows within which a user repeats a misunderstood question."""
_LEAST_WORDS: Final = 3
_LEAST_CONTENT: Final = 4
_OVERLAP: Final = 0.75
_MOST_NEW: Final = 0.5

_REPEATED_WORDS: Final = 5
_NEARLY: Final = 0.85
_EXACTLY: Final = 0.95

_LOOP_CONFIDENCE: Final[dict[LoopKind, float]] = {"retry": 0.95, "parameter_drift": 0.85, "oscillation": 0.9}


@dataclass(frozen=True, slots=True)
class _Said:
    """A user's message."""

    index: int
    """Index of the row."""
    text: Text
    meanings: Mapping[str, str]
    """Its meanings and the matching phrases."""

    def signal(self, type_: str, **metadata: str) -> Signal:
        """Record a signal."""
        known = {name: value for name, value in metadata.items() if value}
        return Signal(f"interaction.{type_}", self.index, 1.0, known, self.text.raw[:_SNIPPET])

    def first(self, meanings: Sequence[str]) -> str | None:
        """Return the first of these meanings that it has."""
        return next((meaning for meaning in meanings if meaning in self.meanings), None)


def analyse(rows: Sequence[Row]) -> Report:
    """Return the signals of the rows of a conversation. Never raises."""
    texts = {index: read_text(row.text) for index, row in enumerate(rows) if row.kind in ("user", "assistant")}
    said = [_Said(index, text, PHRASES.find(text)) for index, text in texts.items() if rows[index].kind == "user"]
    efficiency = 1 / (1 + _DECAY * max(0, len(said) - _TURNS))
    signals = [
        *_misalignments(said),
        *_dragging(efficiency, said),
        *_repetitions(rows, texts),
        *_moods(said),
        *_failures(rows),
        *_loops(rows),
    ]
    return Report(signals, len(said), len(texts) - len(said), efficiency, _first_new(rows))


def _first_new(rows: Sequence[Row]) -> int:
    answers = [index for index, row in enumerate(rows) if row.kind in ("assistant", "call")]
    if not answers:
        return 0
    last = rows[answers[-1]].step
    return next(index for index in answers if rows[index].step == last)


def _misalignments(said: Sequence[_Said]) -> Iterator[Signal]:
    previous: _Said | None = None
    for turn in said:
        if meaning := turn.first(_MISALIGNMENTS):
            yield turn.signal(f"misalignment.{meaning}", pattern_type="phrase", matched=turn.meanings[meaning])
        elif previous is not None and turn.index - previous.index <= _NEAR and (overlap := _repetition(previous, turn)):
            metadata: Metadata = {
                "pattern_type": "semantic_rephrase",
                "compared_to": previous.index,
                "similarity": round(overlap, 3),
            }
            yield Signal("interaction.misalignment.rephrase", turn.index, 0.8, metadata, turn.text.raw[:_SNIPPET])
        previous = turn


def _repetition(before: _Said, turn: _Said) -> float:
    """Return the similarity of a question to the previous one; 0 if it is a different question."""
    if min(len(before.text.words), len(turn.text.words)) < _LEAST_WORDS or "confirmation" in turn.meanings:
        return 0.0
    old, new = before.text.distinct - STOPWORDS, turn.text.distinct - STOPWORDS
    if min(len(old), len(new)) < _LEAST_CONTENT:
        return 0.0
    common = len(old & new)
    overlap = common / min(len(old), len(new))
    return overlap if overlap >= _OVERLAP and 1 - common / len(new) <= _MOST_NEW else 0.0


def _dragging(efficiency: float, said: Sequence[_Said]) -> Iterator[Signal]:
    if efficiency < _DRAGGING:
        metadata = {"user_turns": len(said)}
        yield Signal("interaction.stagnation.dragging", said[-1].index, round(1 - efficiency, 3), metadata)


def _repetitions(rows: Sequence[Row], texts: Mapping[int, Text]) -> Iterator[Signal]:
    past: dict[str, deque[int]] = {"user": deque(maxlen=2), "assistant": deque(maxlen=2)}
    for index, text in texts.items():
        kind = rows[index].kind
        if len(text.words) < _REPEATED_WORDS or (kind == "user" and _begins_kindly(text)):
            continue
        for before in reversed(past[kind]):
            similarity = _similarity(texts[before], text)
            if similarity >= _NEARLY:
                metadata = {
                    "pattern_type": "exact" if similarity >= _EXACTLY else "near_duplicate",
                    "role": kind,
                    "compared_to": before,
                    "similarity": round(similarity, 3),
                }
                yield Signal("interaction.stagnation.repetition", index, round(similarity, 3), metadata, text.raw[:_SNIPPET])
                break
        past[kind].append(index)


def _similarity(before: Text, text: Text) -> float:
    """Return the similarity of two texts; 0 if they clearly differ, without counting trigrams."""
    if before.words == text.words:
        return 1.0
    shorter, longer = sorted((len(before.raw), len(text.raw)))
    # Similar texts have most of their words in common, unless one is a single long word.
    if shorter < _NEARLY * longer - 10 or jaccard(before.distinct, text.distinct) < 0.5:
        return 0.0
    return jaccard(trigrams(before.words), trigrams(text.words))


def _moods(said: Sequence[_Said]) -> Iterator[Signal]:
    for turn in said:
        leaving = [meaning for meaning in _LEAVING if meaning in turn.meanings]
        for meaning in leaving:
            yield turn.signal(f"disengagement.{meaning}", pattern_type="phrase", matched=turn.meanings[meaning])
        satisfied = turn.first(_SATISFACTIONS)
        if stance := _stance(turn, is_leaving=bool(leaving)):
            yield turn.signal("disengagement.negative_stance", indicator_type=stance[0], matched=stance[1])
        elif satisfied and not _is_denied(turn.text, turn.meanings[satisfied]):
            yield turn.signal(f"satisfaction.{satisfied}", pattern_type="phrase", matched=turn.meanings[satisfied])


def _stance(turn: _Said, *, is_leaving: bool) -> tuple[str, str] | None:
    """Return how a user shows anger, and the words."""
    if "profanity" in turn.meanings:
        return "profanity", turn.meanings["profanity"]
    if _is_shouted(turn.text.raw):
        return "all_caps", ""
    if not _begins_kindly(turn.text) and (match := _LOUD.search(turn.text.raw)):
        return "excessive_punctuation", match.group()
    if not is_leaving and "complaint" in turn.meanings:
        return "complaint", turn.meanings["complaint"]
    return None


def _is_shouted(text: str) -> bool:
    plain = text.encode("ascii", "ignore")
    lower, upper = (len(plain) - len(plain.translate(None, letters)) for letters in (_LOWER, _UPPER))
    return lower + upper >= _LEAST_LETTERS and upper >= _CAPITALS * (lower + upper)


def _is_denied(text: Text, phrase: str) -> bool:
    """Whether a phrase is negated: `that's not very helpful`."""
    wanted = read_text(phrase).words
    return any(
        text.words[start : start + len(wanted)] == wanted and NOT_MEANT & {*text.words[max(0, start - 2) : start]}
        for start in range(len(text.words))
    )


def _begins_kindly(text: Text) -> bool:
    return bool(text.words) and text.words[0] in POSITIVE_BEGINNINGS


def _failures(rows: Sequence[Row]) -> Iterator[Signal]:
    tool = ""
    for index, row in enumerate(rows):
        if row.kind == "call":
            tool = row.tool
        elif row.kind == "result":
            for failing in read_result(row.text):
                metadata = {"matched": failing.matched, **({"tool_name": tool} if tool else {})}
                yield Signal(failing.type, index, failing.confidence, metadata, row.text[:_SNIPPET])


def _loops(rows: Sequence[Row]) -> Iterator[Signal]:
    calls = [index for index, row in enumerate(rows) if row.kind == "call"]
    for loop in find_loops([rows[index] for index in calls]):
        metadata: Metadata = {
            "loop_type": loop.kind,
            "tool_name": ", ".join(loop.tools),
            "call_index": loop.first,
            "calls": loop.last - loop.first + 1,
        }
        yield Signal(f"execution.loops.{loop.kind}", calls[loop.last], _LOOP_CONFIDENCE[loop.kind], metadata)
