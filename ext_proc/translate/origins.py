"""Where in the client's request the parts of a translated body come from: for errors of the second of two translations.

Nothing is recorded until something was refused: the first translation is then done once more.
"""

import re
from typing import Any, Final

from ext_proc.codec.json_body import JsonObject

_STEP: Final = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
Path = list[str | int]


class Origins:
    """Objects of a translated body, and the path in the client's request of what each was made from."""

    def __init__(self) -> None:
        self._noted: dict[int, tuple[JsonObject, str]] = {}
        """By identity; the object is kept so that no other one can get its identity."""

    def note(self, made: JsonObject, where: str) -> None:
        """Record what an object was made from."""
        self._noted[id(made)] = (made, where)

    def find(self, body: JsonObject, path: str) -> tuple[str, Path]:
        """Return the origin of the innermost recorded object on a path, "" if none is, and the rest of the path."""
        steps = parse_path(path)
        found: tuple[str, Path] = ("", steps)
        node: Any = body
        for index, step in enumerate(steps):
            node = _member(node, step)
            if id(node) in self._noted:
                found = (self._noted[id(node)][1], steps[index + 1 :])
        return found


def parse_path(path: str) -> Path:
    """Split `messages[2].content` into its steps."""
    return [name or int(index) for name, index in _STEP.findall(path)]


def innermost(request: JsonObject, path: str, more: Path) -> tuple[str, Any]:
    """Follow a path in the client's request, then those of some more names that are there; return the end's path and value.

    Indices among `more` end the way: they count what a translation has put together.
    """
    node: Any = request
    for step in parse_path(path):
        node = _member(node, step)
    for step in more:
        if isinstance(step, int):
            break
        if isinstance(node, dict) and step in node:
            node, path = node[step], f"{path}.{step}" if path else step
    return path, node


def _member(node: Any, step: str | int) -> Any:
    if isinstance(node, dict):
        return node.get(str(step))
    return node[step] if isinstance(node, list) and isinstance(step, int) and step < len(node) else None
