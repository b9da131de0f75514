"""Compares a question's similarity to each agent with its similarity to unrelated subjects.

An agent's nearness is the mean of the question's three best similarities to its passages. Absolute values mean little: they
differ by model and by the length of descriptions. So they are compared with those to the subjects:

- If one agent covers a subject, clearly more than chance and than any other agent, the subject's requests are its examples.
- Subjects that no agent is near are the background. A question's margin for an agent is its nearness to the agent minus
  its nearness to the five nearest background subjects.
- Margins are in units of the model's spread: the difference between similarities within a subject and between subjects.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from ext_proc.routing.semantic.subjects import CLOSINGS, SUBJECTS

Vectors = npt.NDArray[np.float32]
"""One row for each text, of length 1."""

BEST: Final = 3
"""Number of similarities in a nearness: a single one may be chance."""
NEAREST_SUBJECTS: Final = 5
COVERED: Final = 3.0
"""Minimum of standard deviations above the mean over all subjects for an agent to cover a subject."""
CLEARLY: Final = 1.0
"""Minimum lead over any other agent."""
TOUCHED: Final = 2.0
"""From here on a subject is near an agent, and not background."""
LENT: Final = 0.95
"""Weight of a subject's examples, relative to the agent's own text."""


class Subjects:
    """The vectors of the subjects in one model."""

    def __init__(self, titles: Vectors, requests: Vectors) -> None:
        """Use the vectors of all titles, and of all requests in the order of `SUBJECTS`."""
        self.titles = titles
        self.requests = requests
        sizes = [len(subject.requests) for subject in SUBJECTS]
        self.owner = np.repeat(np.arange(len(sizes)), sizes)
        self.rows = _padded(np.split(np.arange(len(requests)), np.cumsum(sizes)[:-1]))
        self.closings = np.array([subject.title in CLOSINGS for subject in SUBJECTS])
        self.spread = self._spread()

    def means(self, nearness: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Average the rows of requests to rows of subjects."""
        starts = self.rows[:, 0]
        return np.asarray(np.add.reduceat(nearness, starts) / np.bincount(self.owner)[:, None], dtype=np.float32)

    def _spread(self) -> float:
        near = self.requests @ self.requests.T
        same = self.owner[:, None] == self.owner[None, :]
        return float(near[same & ~np.eye(len(near), dtype=bool)].mean() - near[~same].mean()) or 1.0


@dataclass(frozen=True, slots=True)
class Nearness:
    """The nearness of one text to all agents."""

    margins: npt.NDArray[np.float32]
    """Margins by agent, in spreads; above 0 the agent is nearer than the background."""
    is_closing: bool
    """Whether it is a greeting, thanks or praise rather than a question."""


class SemanticIndex:
    """The vectors of the agents of one pool in one model."""

    def __init__(self, subjects: Subjects, passages: Sequence[Vectors]) -> None:
        """Use the vectors of each agent's passages; at least one agent, with at least one passage each. Slow for thousands."""
        self._subjects = subjects
        own = np.concatenate(passages)
        sizes = [len(vectors) for vectors in passages]
        rows = np.split(np.arange(len(own)), np.cumsum(sizes)[:-1])
        touched, covered = self._coverage(own, _padded(rows))
        lent = [np.flatnonzero(covered[subjects.owner] == agent) for agent in range(len(passages))]
        self._vectors = np.concatenate([own, subjects.requests])
        self._rows = _padded([np.concatenate([mine, len(own) + theirs]) for mine, theirs in zip(rows, lent, strict=True)])
        self._worth = np.where(self._rows < len(own), 1.0, LENT).astype(np.float32)
        self._first_request = len(own)
        self._background = np.flatnonzero(~touched)

    def nearness(self, vector: Vectors, bonus: npt.NDArray[np.float32]) -> Nearness:
        """Compare one text, given by its vector; `bonus` is an additional score per agent, in spreads."""
        near = _ended(self._vectors @ vector)
        agents = _best(near[self._rows] * self._worth, self._rows)
        subjects = self._subjects
        requests = _ended(near[self._first_request : -1])
        by_subject = _best(requests[subjects.rows], subjects.rows)
        background = np.sort(by_subject[self._background])[-NEAREST_SUBJECTS:]
        level = float(background.mean()) if len(background) else 0.0
        nearest = int(by_subject.argmax())
        is_closing = bool(subjects.closings[nearest]) and float(by_subject[nearest]) > subjects.spread
        return Nearness((agents - level) / subjects.spread + bonus, is_closing)

    def _coverage(self, own: Vectors, rows: npt.NDArray[np.intp]) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.intp]]:
        """Return for each subject whether any agent is near it, and the agent that covers it (-1 for none)."""
        subjects = self._subjects
        affinity = (subjects.means(_nearest(subjects.requests @ own.T, rows)) + _nearest(subjects.titles @ own.T, rows)) / 2
        deviation = affinity.std(axis=0)
        standing = (affinity - affinity.mean(axis=0)) / np.where(deviation > 0, deviation, 1)
        ordered = np.sort(standing, axis=1)
        is_clear = ordered[:, -1] - ordered[:, -2] > CLEARLY if len(rows) > 1 else np.True_
        covered = np.where((ordered[:, -1] > COVERED) & is_clear, standing.argmax(axis=1), -1)
        return ordered[:, -1] > TOUCHED, covered


_NONE: Final = np.float32(-np.inf)


def _padded(rows: Sequence[npt.NDArray[np.intp]]) -> npt.NDArray[np.intp]:
    """Pad lists of row numbers to a rectangle by -1, the row after the last one."""
    width = max(BEST, max(map(len, rows)))
    return np.stack([np.pad(row, (0, width - len(row)), constant_values=-1) for row in rows])


def _ended(near: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Append the row that padding refers to."""
    return np.append(near, np.float32(0))


def _best(near: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Average the best similarities of each row, or all if there are fewer."""
    best = -np.partition(-np.where(rows < 0, _NONE, near), BEST - 1, axis=-1)[..., :BEST]
    real = best > _NONE
    return np.asarray(np.where(real, best, 0).sum(axis=-1) / real.sum(axis=-1), dtype=np.float32)


def _nearest(near: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return the nearness of many texts (rows) to each agent (columns), given their similarities to all passages."""
    padded = np.hstack([near, np.zeros((len(near), 1), dtype=np.float32)])
    return np.stack([_best(padded[:, row], np.broadcast_to(row, (len(near), len(row)))) for row in rows], axis=1)
