"""Upgrade that resolves model names in aliases, preferences and overrides, and gives each model an entry.

After it, such a name is exactly an entry's model, name or bare id; later stages need no `plano/...` prefix and no wildcards.
"""

from collections.abc import Iterator
from typing import Any, Final

from control_plane.config.providers import is_own_id
from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries, replaced, without

_CHOOSING: Final = ("agent_orchestration_model", "llm_routing_model", "agent_embedding_model")
"""Overrides that name a routing or embedding model."""


def resolve_models(tree: Tree) -> Tree:
    """Resolve the routing models, and declare models that only a wildcard covers."""
    for key in _CHOOSING:
        tree = _resolve_routing_model(tree, key)
    declared = _declared(tree.data)
    for name in _referred(tree.data):
        if name not in declared:
            declared.add(name)
            tree = _declare(tree, name)
    return tree


def _resolve_routing_model(tree: Tree, key: str) -> Tree:
    """Follow aliases, and drop the prefix `plano/` of a model that is declared without it, as in a guide of Plano."""
    name = _choosing_model(tree.data, key)
    if name is None:
        return tree
    resolved = _follow(tree.data.get("model_aliases"), name)
    bare = resolved.removeprefix("plano/")
    if resolved not in _declared(tree.data) and bare in _declared(tree.data):
        resolved = bare
    path: Path = ("overrides", key)
    return tree if resolved == name else tree.changed(replaced(tree.data, path, resolved))


def _choosing_model(data: dict[str, Any], key: str) -> str | None:
    overrides = data.get("overrides")
    name = overrides.get(key) if isinstance(overrides, dict) else None
    return name if isinstance(name, str) else None


def _follow(aliases: object, name: str) -> str:
    seen: set[str] = set()
    while isinstance(aliases, dict) and name not in seen:
        seen.add(name)
        target = next(_targets(aliases.get(name)), None)
        if target is None:
            break
        name = target
    return name


def _targets(alias: object) -> Iterator[str]:
    """Yield the targets of an alias."""
    if not isinstance(alias, dict):
        return
    if isinstance(alias.get("target"), str):
        yield alias["target"]
    for _, target in entries(alias.get("targets")):
        if isinstance(target.get("model"), str):
            yield target["model"]


def _fallbacks(entry: object) -> Iterator[str]:
    return _texts(entry, "fallbacks")


def _texts(entry: object, key: str) -> Iterator[str]:
    written = entry.get(key) if isinstance(entry, dict) else None
    yield from (name for name in (written if isinstance(written, list) else ()) if isinstance(name, str))


def _referred(data: dict[str, Any]) -> Iterator[str]:
    written = data.get("model_aliases")
    aliases: dict[str, Any] = written if isinstance(written, dict) else {}
    for alias in aliases.values():
        yield from (name for name in (*_targets(alias), *_fallbacks(alias)) if name not in aliases)
    for _, entry in entries(data.get("model_providers")):
        yield from _fallbacks(entry)
    for _, preference in entries(data.get("routing_preferences")):
        yield from _texts(preference, "models")
    for _, limit in entries(data.get("ratelimits")):
        if isinstance(limit.get("model"), str) and not limit["model"].endswith("/*") and limit["model"] not in aliases:
            yield limit["model"]
    yield from (name for name in (_choosing_model(data, key) for key in _CHOOSING) if name is not None)


def _declared(data: dict[str, Any]) -> set[str]:
    names: set[str] = set()
    for _, entry in entries(data.get("model_providers")):
        model, name = entry.get("model"), entry.get("name")
        if isinstance(model, str):
            names |= {model, model.partition("/")[2]}
        if isinstance(name, str):
            names.add(name)
    return names


def _in_full(data: dict[str, Any], wanted: str) -> str:
    """Complete a bare id by its provider, if exactly one wildcard's provider has such ids."""
    if "/" in wanted:
        return wanted
    models = (entry.get("model") for _, entry in entries(data.get("model_providers")))
    providers = [model.removesuffix("/*") for model in models if isinstance(model, str) and model.endswith("/*")]
    meant = [provider for provider in providers if is_own_id(provider, wanted)]
    return f"{meant[0]}/{wanted}" if len(meant) == 1 else wanted


def _declare(tree: Tree, wanted: str) -> Tree:
    """Add an entry like the wildcard that covers a name, if there is one, without itself as a fallback."""
    name = _in_full(tree.data, wanted)
    prefix, _, upstream_model = name.partition("/")
    for index, entry in entries(tree.data.get("model_providers")):
        model = entry.get("model")
        provider, _, star = model.partition("/") if isinstance(model, str) else ("", "", "")
        if star != "*" or not upstream_model or prefix not in (provider, entry.get("name")):
            continue
        added = without(entry, "default") | {"model": f"{provider}/{upstream_model}", "name": name}
        if isinstance(entry.get("fallbacks"), list):
            added["fallbacks"] = [other for other in entry["fallbacks"] if other not in (wanted, name)]
        providers = [*tree.data["model_providers"], added]
        move = Move(("model_providers", len(providers) - 1), ("model_providers", index))
        return tree.changed({**tree.data, "model_providers": providers}, moves=(move,))
    return tree
