"""Upgrades older forms of the file to the current one: ordered pure steps, each from tree to tree.

A step does not change what it cannot interpret: validation then reports it.
"""

from collections.abc import Callable, Iterator
from typing import Any, Final

from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries, renamed, replaced, without
from control_plane.config.upgrade.inherit import inherit_from_agents
from control_plane.config.upgrade.instances import list_instances
from control_plane.config.upgrade.legacy_listeners import list_listeners
from control_plane.config.upgrade.legacy_routing import rename_routing_model
from control_plane.config.upgrade.preferences import lift_preferences
from control_plane.config.upgrade.resolve_models import resolve_models

CURRENT_VERSION: Final = "v0.4.0"
VERSIONS: Final = ("v0.1", "v0.1.0", "0.1-beta", "0.2.0", "v0.3.0", CURRENT_VERSION)
_ALMOST_VERSIONS: Final = {"v0.2.0": "0.2.0", "0.3.0": "v0.3.0", "0.4.0": CURRENT_VERSION}

Step = Callable[[Tree], Tree]


def upgrade(tree: Tree) -> Tree:
    """Run every step, in order."""
    for step in _STEPS:
        tree = step(tree)
    return tree


def _correct_version(tree: Tree) -> Tree:
    version = tree.data.get("version")
    intended = _ALMOST_VERSIONS.get(version) if isinstance(version, str) else None
    if intended is None:
        return tree
    warning = tree.problem(("version",), "odd-version", f"`{version}` is no version of this file; read as `{intended}`")
    return tree.changed({**tree.data, "version": intended}, warnings=(warning,))


def _rename_llm_providers(tree: Tree) -> Tree:
    return _rename_key(tree, (), "llm_providers", "model_providers") if "llm_providers" in tree.data else tree


def _rename_filter_chains(tree: Tree) -> Tree:
    for path, entry in list(_filter_users(tree.data)):
        if "filter_chain" in entry:
            tree = _rename_key(tree, path, "filter_chain", "input_filters")
    return tree


def _filter_users(data: dict[str, Any]) -> Iterator[tuple[Path, dict[str, Any]]]:
    for index, agent in entries(data.get("agents")):
        yield ("agents", index), agent
    for index, listener in entries(data.get("listeners")):
        yield ("listeners", index), listener
        for position, agent in entries(listener.get("agents")):
            yield ("listeners", index, "agents", position), agent


def _rename_key(tree: Tree, path: Path, old: str, new: str) -> Tree:
    entry: Any = tree.data
    for step in path:
        entry = entry[step]
    here = (*path, old)
    if new in entry:
        problem = tree.problem(here, "both-spellings", f"is the old name of `{new}`, which is there as well: keep one")
        return tree.changed(replaced(tree.data, path, without(entry, old)), problems=(problem,))
    warning = tree.problem(here, "deprecated", f"is now called `{new}`")
    data = replaced(tree.data, path, renamed(entry, old, new))
    return tree.changed(data, moves=(Move((*path, new), here),), warnings=(warning,))


def _add_model_listener(tree: Tree) -> Tree:
    """Add a model listener for providers, as in Plano: agents depend on it."""
    listeners = tree.data.get("listeners")
    if not isinstance(listeners, list) or not tree.data.get("model_providers"):
        return tree
    # A listener without a type may be meant as one: validation reports it.
    if any(listener.get("type", "model") == "model" for _, listener in entries(listeners)):
        return tree
    return tree.changed({**tree.data, "listeners": [*listeners, {"type": "model"}]})


def _set_version(tree: Tree) -> Tree:
    """Set the current version after all upgrades; a file with an unknown version is read as the current one."""
    version = tree.data.get("version")
    data = {**tree.data, "version": CURRENT_VERSION}
    if version in VERSIONS:
        return tree.changed(data)
    code = "unknown-version" if "version" in tree.data else "missing-field"
    message = f"should be {CURRENT_VERSION}, or an older one: {', '.join(VERSIONS[:-1])}"
    return tree.changed(data, problems=(tree.problem(("version",), code, message),))


_STEPS: Final[tuple[Step, ...]] = (
    _correct_version,
    _rename_llm_providers,
    list_listeners,
    _rename_filter_chains,
    lift_preferences,
    rename_routing_model,
    inherit_from_agents,
    list_instances,
    resolve_models,
    _add_model_listener,
    _set_version,
)
