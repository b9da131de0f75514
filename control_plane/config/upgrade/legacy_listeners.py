"""Upgrade of `listeners: {ingress_traffic: ..., egress_traffic: ...}` to the list form, and of lists of such entries."""

from collections.abc import Iterator
from typing import Any, Final

from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries, replaced, without
from control_plane.errors import Problem

_TYPES: Final = {"egress_traffic": "model", "ingress_traffic": "prompt"}
_FIELDS: Final = ("address", "port", "message_format", "timeout")


def list_listeners(tree: Tree) -> Tree:
    """Turn the two listeners of the object form into list entries; the model listener always exists."""
    old = tree.data.get("listeners")
    if isinstance(old, list):
        return _in_the_new_form(tree)
    if not isinstance(old, dict):
        return tree
    listeners: list[Any] = []
    moves: list[Move] = []
    for key, kind in _TYPES.items():
        entry = old.get(key)
        entry = {} if entry is None else entry
        if isinstance(entry, dict) and (entry or kind == "model"):
            moves.append(Move(("listeners", len(listeners)), ("listeners", key)))
            listeners.append({"type": kind, "name": key, **_known_fields(entry)})
    warning = tree.problem(("listeners",), "deprecated", "is now a list of entries with a `type` and a `name`")
    data = {**tree.data, "listeners": listeners}
    return tree.changed(data, moves=tuple(moves), warnings=(warning,), problems=tuple(_problems(tree, old)))


def _in_the_new_form(tree: Tree) -> Tree:
    """Convert list entries that use the names and fields of the object form."""
    for index, entry in entries(tree.data["listeners"]):
        name = entry.get("name")
        if "type" in entry or not isinstance(name, str) or name not in _TYPES:
            continue
        here = ("listeners", index)
        changed = {"type": _TYPES[name], **without(entry, "message_format")}
        warning = tree.problem(here, "deprecated", f"should have a `type`; read as `{_TYPES[name]}`, after its name")
        problems = tuple(_format_problems(tree, (*here, "message_format"), entry))
        tree = tree.changed(replaced(tree.data, here, changed), warnings=(warning,), problems=problems)
    return tree


def _known_fields(entry: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in without(entry, "message_format").items() if key in _FIELDS}


def _problems(tree: Tree, old: dict[str, Any]) -> Iterator[Problem]:
    if not tree.data.get("model_providers"):
        yield tree.problem(("listeners",), "no-providers", "needs `model_providers` in this form")
    for key, entry in old.items():
        if key not in _TYPES:
            known = " and ".join(_TYPES)
            yield tree.problem(("listeners", key), "unknown-field", f"is not known; this form of `listeners` has {known}")
        elif entry is not None and not isinstance(entry, dict):
            yield tree.problem(("listeners", key), "invalid-value", "should be a mapping")
        else:
            yield from _entry_problems(tree, key, entry or {})


def _entry_problems(tree: Tree, key: str, entry: dict[str, Any]) -> Iterator[Problem]:
    for name in entry:
        if name not in _FIELDS:
            yield tree.problem(("listeners", key, name), "unknown-field", f"is not known; known are {', '.join(_FIELDS)}")
    yield from _format_problems(tree, ("listeners", key, "message_format"), entry)


def _format_problems(tree: Tree, path: Path, entry: dict[str, Any]) -> Iterator[Problem]:
    if entry.get("message_format", "openai") != "openai":
        yield tree.problem(path, "invalid-value", "should be `openai`")
