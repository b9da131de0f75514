"""How near a question is to each agent, compared with how near it is to everything else that people ask.

An agent's nearness is the mean of the question's three best similarities to its passages. Similarities alone mean little: they
differ by model, and by how much a description says. So the yardstick is made of the subjects, of which the configuration says
which are whose:

- A subject that one agent covers, clearly more than chance and more than any other agent, lends it its requests as examples.
- The subjects that nobody comes near are the background. A question's margin for an agent is its nearness to the agent, less
  its nearness to the five background subjects that are nearest.
- Margins are in units of the model's own spread: how much nearer requests of one subject are to each other than to others.
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
"""Similarities that make a nearness: one alone may be chance."""
NEAREST_SUBJECTS: Final = 5
COVERED: Final = 3.0
"""Standard deviations above its mean over all subjects from which on an agent covers a subject."""
CLEARLY: Final = 1.0
"""How many more than any other agent's."""
TOUCHED: Final = 2.0
"""From here on a subject may be somebody's, and is no background."""
LENT: Final = 0.95
"""What similarity to a lent example is worth, compared with the agent's own words."""


class Subjects:
    """The background, as one model sees it."""

    def __init__(self, titles: Vectors, requests: Vectors) -> None:
        """Take the vectors of all titles, and of all requests in the order of `SUBJECTS`."""
        self.titles = titles
        self.requests = requests
        sizes = [len(subject.requests) for subject in SUBJECTS]
        self.owner = np.repeat(np.arange(len(sizes)), sizes)
        self.rows = _padded(np.split(np.arange(len(requests)), np.cumsum(sizes)[:-1]))
        self.closings = np.array([subject.title in CLOSINGS for subject in SUBJECTS])
        self.spread = self._spread()

    def means(self, nearness: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Average rows that stand for requests to rows that stand for subjects."""
        starts = self.rows[:, 0]
        return np.asarray(np.add.reduceat(nearness, starts) / np.bincount(self.owner)[:, None], dtype=np.float32)

    def _spread(self) -> float:
        near = self.requests @ self.requests.T
        same = self.owner[:, None] == self.owner[None, :]
        return float(near[same & ~np.eye(len(near), dtype=bool)].mean() - near[~same].mean()) or 1.0


@dataclass(frozen=True, slots=True)
class Nearness:
    """Where one text stands."""

    margins: npt.NDArray[np.float32]
    """By agent, in spreads; above 0 it is nearer than the background."""
    is_closing: bool
    """Whether it greets, thanks or praises rather than asks."""


class SemanticIndex:
    """The agents of one pool, as one model sees them."""

    def __init__(self, subjects: Subjects, passages: Sequence[Vectors]) -> None:
        """Take the vectors of each agent's passages; at least one agent, with at least one passage each. Slow for thousands."""
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
        """Compare one text, given by its vector; `bonus` is what else speaks for each agent, in spreads."""
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
        """Say of each subject whether some agent touches it, and which agent covers it; -1 for none."""
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
    """Make a rectangle of lists of row numbers: -1, the row after the last one, fills it up."""
    width = max(BEST, max(map(len, rows)))
    return np.stack([np.pad(row, (0, width - len(row)), constant_values=-1) for row in rows])


def _ended(near: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Append what padding refers to."""
    return np.append(near, np.float32(0))


def _best(near: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Average the best similarities of each row, of fewer where there are fewer."""
    best = -np.partition(-np.where(rows < 0, _NONE, near), BEST - 1, axis=-1)[..., :BEST]
    real = best > _NONE
    return np.asarray(np.where(real, best, 0).sum(axis=-1) / real.sum(axis=-1), dtype=np.float32)


def _nearest(near: npt.NDArray[np.float32], rows: npt.NDArray[np.intp]) -> npt.NDArray[np.float32]:
    """Return the nearness of many texts (rows) to each agent (columns), given their similarities to all passages."""
    padded = np.hstack([near, np.zeros((len(near), 1), dtype=np.float32)])
    return np.stack([_best(padded[:, row], np.broadcast_to(row, (len(near), len(row)))) for row in rows], axis=1)
