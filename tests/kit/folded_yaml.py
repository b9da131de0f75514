"""YAML for people: what is like something before it is shown by its differences alone.

    name: model/b
    like: model/a
    but:
      load_assignment.endpoints[0].port: 8002

Mappings of one key are written on one line, `a.b.c: 1`. In differences `<name>` stands for the name of the thing itself.
Nothing is lost: a change of any value changes what is shown.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import yaml

ABSENT: Final = "(absent)"
"""Stands for a value that only the other one has."""
_WORTH: Final = 0.7
"""How much of a value's size its differences may have, to be shown in its place."""
_SMALL: Final = 3
"""Values of so few leaves are shown as they are."""

_LOADER: Final = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's where it is there: many times as fast."""

Path = tuple[str, ...]
Flat = dict[Path, Any]


Documents = Sequence[dict[str, Any]]


def documents(text: str) -> Documents:
    """Read a stream of YAML documents."""
    return [document for document in yaml.load_all(text, Loader=_LOADER) if document is not None]


def fold_documents(shown: Documents, *, base: Documents = ()) -> str:
    """Fold documents, each against those before it, and against those of a base."""
    known = [(label, _flat(document, label)) for label, document in _labelled(base)]
    folded = _fold_row(_labelled(shown), known)
    return "---\n".join(yaml.safe_dump(document, sort_keys=False, width=1000, allow_unicode=True) for document in folded)


def _fold(value: Any) -> Any:
    if isinstance(value, list):
        return _fold_row(_labelled(value), [])
    if isinstance(value, dict):
        row = sorted(value.items())
        return dict(_joined(key, shown) for (key, _), shown in zip(row, _fold_row(row, []), strict=True))
    return value


def _fold_row(row: Sequence[tuple[str, Any]], known: list[tuple[str, Flat]]) -> list[Any]:
    """Fold values that stand beside each other."""
    shown: list[Any] = []
    before = list(known)
    for label, item in row:
        if not isinstance(item, dict):
            shown.append(_fold(item))
            continue
        flat = _flat(item, label)
        differences = ((other, _differences(old, flat)) for other, old in before)
        like, but = min(differences, key=lambda pair: len(pair[1]), default=("", flat))
        is_alike = len(flat) > _SMALL and like and len(but) <= _WORTH * len(flat)
        shown.append(_named(item) | {"like": like} | ({"but": _nested(but)} if but else {}) if is_alike else _fold(item))
        before.append((label, flat))
    return shown


def _joined(key: str, value: Any) -> tuple[str, Any]:
    """Write a mapping of one key in one line with the key that leads to it."""
    if isinstance(value, dict) and len(value) == 1:
        [(inner, rest)] = value.items()
        return (f"{key}{inner}" if inner.startswith("[") else f"{key}.{inner}"), rest
    return key, value


def _labelled(items: Sequence[Any]) -> list[tuple[str, Any]]:
    """Pair things with their names, or their places where they have none."""
    names = (item["name"] if isinstance(item, dict) and "name" in item else f"[{index}]" for index, item in enumerate(items))
    return [(str(name), item) for name, item in zip(names, items, strict=True)]


def _named(item: dict[str, Any]) -> dict[str, Any]:
    return {"name": item["name"]} if "name" in item else {}


def _flat(item: dict[str, Any], name: str) -> Flat:
    return {path: value.replace(name, "<name>") if isinstance(value, str) else value for path, value in _leaves(item, ())}


def _differences(old: Flat, new: Flat) -> Flat:
    gone = dict.fromkeys(old.keys() - new.keys(), ABSENT)
    changed = {path: value for path, value in new.items() if path not in old or old[path] != value}
    return dict(sorted((gone | changed).items()))


def _nested(flat: Flat) -> dict[str, Any]:
    """Write what paths have in common once."""
    tree: dict[str, Any] = {}
    for path, value in flat.items():
        node = tree
        for step in path[:-1]:
            node = node.setdefault(step, {})
        node[path[-1]] = value
    return _lines(tree)


def _lines(tree: dict[str, Any]) -> dict[str, Any]:
    return dict(_joined(key, _lines(value) if isinstance(value, dict) and value else value) for key, value in tree.items())


def _leaves(value: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    if isinstance(value, dict) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, str(key)))
    elif isinstance(value, list) and value:
        for index, inner in enumerate(value):
            yield from _leaves(inner, (*path, f"[{index}]"))
    else:
        yield path, value
