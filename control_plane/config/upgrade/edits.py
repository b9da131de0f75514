"""Copies of plain data with one change, for upgrades."""

from collections.abc import Iterator
from typing import Any

from control_plane.config.source.paths import Path


def entries(value: object) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the mappings of a list with their positions; nothing if it is not a list."""
    for index, item in enumerate(value if isinstance(value, list) else ()):
        if isinstance(item, dict):
            yield index, item


def without(mapping: dict[str, Any], key: str) -> dict[str, Any]:
    """Copy a mapping without a key."""
    return {name: value for name, value in mapping.items() if name != key}


def renamed(mapping: dict[str, Any], old: str, new: str) -> dict[str, Any]:
    """Copy a mapping with one key renamed, in the same order."""
    return {new if name == old else name: value for name, value in mapping.items()}


def replaced(data: Any, path: Path, value: Any) -> Any:
    """Copy a tree with another value at a path; the rest is shared."""
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        return [*data[:step], replaced(data[step], rest, value), *data[step + 1 :]]
    return {**data, step: replaced(data[step], rest, value)}
