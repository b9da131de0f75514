"""Upgrade of routing preferences at a provider (before v0.4.0) to the top-level list."""

from collections.abc import Iterator
from typing import Any, Final

from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries, replaced, without
from control_plane.errors import Problem

KEY: Final = "routing_preferences"
FIRST_VERSION_WITHOUT_INLINE: Final = "v0.4.0"


def lift_preferences(tree: Tree) -> Tree:
    """Move inline preferences to `routing_preferences`; those with the same name become one entry with several models."""
    inline = list(_inline_lists(tree.data))
    if not inline:
        return tree
    if tree.data.get("version") == FIRST_VERSION_WITHOUT_INLINE:
        return _refuse(tree, inline)
    lift = _Lift(tree)
    for path, provider in inline:
        for index, entry in enumerate(provider[KEY]):
            lift.add((*path, KEY, index), entry, provider)
    data = _remove_inline(tree.data, inline) | {KEY: lift.lifted}
    return tree.changed(data, moves=tuple(lift.moves), warnings=tuple(lift.warnings), problems=tuple(lift.problems))


def _inline_lists(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for index, provider in entries(data.get("model_providers")):
        if isinstance(provider.get(KEY), list):
            yield ("model_providers", index), provider


def _refuse(tree: Tree, inline: list[tuple[Path, dict[str, Any]]]) -> Tree:
    message = f"belongs to the list `{KEY}` at the top of the file since {FIRST_VERSION_WITHOUT_INLINE}, with `models`"
    problems = tuple(tree.problem((*path, KEY), "inline-preferences", message) for path, _ in inline)
    return tree.changed(_remove_inline(tree.data, inline), problems=problems)


def _remove_inline(data: dict[str, Any], inline: list[tuple[Path, dict[str, Any]]]) -> dict[str, Any]:
    for path, provider in inline:
        data = replaced(data, path, without(provider, KEY))
    return data


class _Lift:
    """Collects the new list; existing entries stay first and have precedence."""

    def __init__(self, tree: Tree) -> None:
        existing = tree.data.get(KEY)
        self._tree = tree
        self.lifted: list[Any] = list(existing) if isinstance(existing, list) else []
        self._declared = {entry.get("name") for _, entry in entries(self.lifted) if isinstance(entry.get("name"), str)}
        self._positions: dict[str, int] = {}
        self.moves: list[Move] = []
        self.warnings: list[Problem] = []
        self.problems: list[Problem] = []

    def add(self, path: Path, entry: Any, provider: dict[str, Any]) -> None:
        model = provider.get("model")
        name = entry.get("name") if isinstance(entry, dict) else None
        if isinstance(model, str) and model.endswith("/*"):
            self.problems.append(
                self._tree.problem(path, "preference-on-wildcard", f"needs one model; `{model}` stands for many")
            )
        elif isinstance(name, str) and name in self._declared:
            message = f"is left out: `{name}` is also in `{KEY}` at the top of the file"
            self.warnings.append(self._tree.problem(path, "deprecated", message))
        elif isinstance(name, str) and name in self._positions:
            self._merge(path, entry, self._positions[name], model)
        else:
            self._append(path, entry, name, model)

    def _append(self, path: Path, entry: Any, name: object, model: object) -> None:
        position = len(self.lifted)
        if isinstance(name, str):
            self._positions[name] = position
        self.lifted.append({**entry, "models": [model]} if isinstance(entry, dict) else entry)
        self.moves.append(Move((KEY, position), path))
        message = f"belongs to the list `{KEY}` at the top of the file since {FIRST_VERSION_WITHOUT_INLINE}; moved there"
        self.warnings.append(self._tree.problem(path, "deprecated", message))

    def _merge(self, path: Path, entry: dict[str, Any], position: int, model: object) -> None:
        first = self.lifted[position]
        self.lifted[position] = {**first, "models": [*first["models"], model]}
        if entry.get("description") != first.get("description"):
            message = f"has another description than the first `{first['name']}`, which is kept"
            self.warnings.append(self._tree.problem((*path, "description"), "description-ignored", message))
