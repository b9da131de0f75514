"""Upgrade that turns every form of an upstream's address into a list of instances."""

from collections.abc import Iterator
from typing import Any, Final

from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries, replaced

_PLACES: Final = (("agents", "url"), ("filters", "url"), ("model_providers", "base_url"))


def list_instances(tree: Tree) -> Tree:
    """Write `url: X` as `url: [{url: X}]`, and `url: [X]` likewise."""
    data, moves = tree.data, list[Move]()
    for path, value in _written(tree.data):
        listed, moved = _listed(path, value)
        data = replaced(data, path, listed)
        moves += moved
    return tree.changed(data, moves=tuple(moves))


def _written(data: dict[str, Any]) -> Iterator[tuple[Path, Any]]:
    for section, key in _PLACES:
        for index, entry in entries(data.get(section)):
            if entry.get(key) is not None:
                yield (section, index, key), entry[key]


def _listed(path: Path, value: Any) -> tuple[list[Any], list[Move]]:
    if not isinstance(value, list):
        is_whole = isinstance(value, dict)
        moved = Move((*path, 0), path) if is_whole else Move((*path, 0, "url"), path)
        return [value if is_whole else {"url": value}], [moved]
    moves = [Move((*path, index, "url"), (*path, index)) for index, item in enumerate(value) if not isinstance(item, dict)]
    return [item if isinstance(item, dict) else {"url": item} for item in value], moves
