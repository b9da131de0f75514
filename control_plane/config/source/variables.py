"""Environment variables in values: `$NAME`, `${NAME}`, and `$$` for a dollar.

Expansion happens after YAML was parsed, so that no variable can add keys or change the structure of the file.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from control_plane.config.source.paths import Path

_REFERENCE = re.compile(
    r"\$(?:(?P<dollar>\$)|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|\{(?P<braced>[A-Za-z_][A-Za-z0-9_]*)\}|(?P<broken>\{))"
)


@dataclass(frozen=True, slots=True)
class Missing:
    """A reference that cannot be resolved."""

    path: Path
    name: str
    """Empty if what follows `${` is no name."""


@dataclass(slots=True)
class Expansion:
    """Expands references in a tree of plain data, and records where they were and which are missing."""

    env: Mapping[str, str]
    missing: list[Missing] = field(default_factory=list)
    from_variables: set[Path] = field(default_factory=set)
    """Values that hold the value of a variable."""

    def expand(self, value: Any, path: Path = ()) -> Any:
        """Return a copy of value with every string value expanded; keys stay as they are."""
        if isinstance(value, dict):
            return {key: self.expand(item, (*path, key)) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item, (*path, index)) for index, item in enumerate(value)]
        if isinstance(value, str) and "$" in value:
            return _REFERENCE.sub(lambda match: self._resolve(match, path), value)
        return value

    def _resolve(self, match: re.Match[str], path: Path) -> str:
        if match["dollar"]:
            return "$"
        name = match["name"] or match["braced"] or ""
        value = self.env.get(name) if name else None
        if value is None:
            self.missing.append(Missing(path, name))
            return match[0]
        self.from_variables.add(path)
        return value
