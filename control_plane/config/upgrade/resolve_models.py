"""Upgrade that gives every model which aliases, preferences and the orchestrator refer to an entry of its own.

After it, such a name is exactly an entry's model, name or bare id; later stages need know neither `plano/...` nor wildcards.
"""

from collections.abc import Iterator
from typing import Any, Final

from control_plane.config.providers import is_own_id
from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries, replaced, without

_CHOOSING: Final = ("agent_orchestration_model", "llm_routing_model", "agent_embedding_model")
"""Overrides that name a model which chooses, or tells what is meant."""


def settle_models(tree: Tree) -> Tree:
    """Resolve the models that choose, and declare what only a wildcard covers."""
    for key in _CHOOSING:
        tree = _settle_choosing_model(tree, key)
    declared = _declared(tree.data)
    for name in _referred(tree.data):
        if name not in declared:
            declared.add(name)
            tree = _declare(tree, name)
    return tree


def _settle_choosing_model(tree: Tree, key: str) -> Tree:
    """Follow aliases, and drop `plano/` before a model that is declared without it, as a guide of Plano's writes it."""
    name = _choosing_model(tree.data, key)
    if name is None:
        return tree
    settled = _follow(tree.data.get("model_aliases"), name)
    bare = settled.removeprefix("plano/")
    if settled not in _declared(tree.data) and bare in _declared(tree.data):
        settled = bare
    path: Path = ("overrides", key)
    return tree if settled == name else tree.changed(replaced(tree.data, path, settled))


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
    """Yield what an alias stands for: its one target, or all that share its requests."""
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
    """Put the only provider before a bare id that can be meant by it, if just one wildcard's provider can."""
    if "/" in wanted:
        return wanted
    models = (entry.get("model") for _, entry in entries(data.get("model_providers")))
    providers = [model.removesuffix("/*") for model in models if isinstance(model, str) and model.endswith("/*")]
    meant = [provider for provider in providers if is_own_id(provider, wanted)]
    return f"{meant[0]}/{wanted}" if len(meant) == 1 else wanted


def _declare(tree: Tree, wanted: str) -> Tree:
    """Add an entry like the wildcard that covers a name, if there is one; not its own fallback."""
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
