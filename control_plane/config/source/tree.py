"""The configuration as plain data, with the place of each value in the file."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from control_plane.config.source.paths import Path, render_path
from control_plane.errors import Problem


@dataclass(frozen=True, slots=True)
class Move:
    """An upgrade moved the value at `old` (and below) to `new`."""

    new: Path
    old: Path


@dataclass(frozen=True, slots=True)
class Tree:
    """Plain data with its mapping to the file."""

    data: dict[str, Any]
    lines: Mapping[Path, int]
    """Line of each path of the file."""
    moves: tuple[Move, ...] = ()
    """In the order in which they happened."""
    warnings: tuple[Problem, ...] = field(default=())
    problems: tuple[Problem, ...] = field(default=())

    def original(self, path: Path) -> Path:
        """Translate a path of the data to one of the file."""
        for move in reversed(self.moves):
            if path[: len(move.new)] == move.new:
                path = move.old + path[len(move.new) :]
        return path

    def problem(self, path: Path, code: str, message: str) -> Problem:
        """Create a problem about a path of the data, with its place in the file."""
        original = self.original(path)
        return Problem(path=render_path(original), code=code, message=message, line=self._line(original))

    def changed(
        self,
        data: dict[str, Any],
        *,
        moves: tuple[Move, ...] = (),
        warnings: tuple[Problem, ...] = (),
        problems: tuple[Problem, ...] = (),
    ) -> "Tree":
        """Return the tree after an upgrade."""
        return replace(
            self,
            data=data,
            moves=self.moves + moves,
            warnings=self.warnings + warnings,
            problems=self.problems + problems,
        )

    def _line(self, path: Path) -> int | None:
        """Line of the value, or of the nearest value around it."""
        for length in range(len(path), 0, -1):
            if (line := self.lines.get(path[:length])) is not None:
                return line
        return None
