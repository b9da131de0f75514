"""Upgrade of `routing.llm_provider` and `routing.model`, the former routing model, to `overrides.llm_routing_model`."""

from collections.abc import Iterator
from typing import Any, Final

from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries

_OLD: Final = ("llm_provider", "model")
_NEW: Path = ("overrides", "llm_routing_model")


def rename_routing_model(tree: Tree) -> Tree:
    """Set `llm_routing_model` if the old fields mean an entry of model_providers; warn in any case."""
    routing, overrides = tree.data.get("routing"), tree.data.get("overrides") or {}
    if not isinstance(routing, dict) or not isinstance(overrides, dict):
        return tree
    old = {key: routing[key] for key in _OLD if isinstance(routing.get(key), str)}
    if not old:
        return tree
    data = {**tree.data, "routing": {key: value for key, value in routing.items() if key not in old}}
    meant = _meant(tree.data, **old)
    moves: tuple[Move, ...] = ()
    if "llm_routing_model" in overrides:
        message = "has no effect beside `overrides.llm_routing_model`"
    elif meant is None:
        message = "has no effect: it means no model of `model_providers`. Write `overrides.llm_routing_model`"
    else:
        message = f"is now called `overrides.llm_routing_model`, here `{meant}`"
        data["overrides"] = {**overrides, "llm_routing_model": meant}
        moves = (Move(_NEW, ("routing", next(reversed(old)))),)
    warnings = tuple(tree.problem(("routing", key), "deprecated", message) for key in old)
    return tree.changed(data, moves=moves, warnings=warnings)


def _meant(data: dict[str, Any], llm_provider: str = "", model: str = "") -> str | None:
    """Return the name of the entry: the provider's model, the entry with that name, or the model."""
    named = set(_names(data))
    in_full = f"{llm_provider}/{model}"
    if in_full in named or (llm_provider and model and f"{llm_provider}/*" in named):
        return in_full
    return next((name for name in (llm_provider, model) if name in named), None)


def _names(data: dict[str, Any]) -> Iterator[str]:
    aliases = data.get("model_aliases")
    yield from aliases if isinstance(aliases, dict) else ()
    for _, entry in entries(data.get("model_providers")):
        model, name = entry.get("model"), entry.get("name")
        if isinstance(model, str):
            yield from (model, model.partition("/")[2])
        if isinstance(name, str):
            yield name
