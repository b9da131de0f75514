"""Upgrade that copies an agent's own description and filters to the listener entries that lack them."""

from collections.abc import Mapping
from typing import Any, Final

from control_plane.config.source.paths import Path
from control_plane.config.source.tree import Move, Tree
from control_plane.config.upgrade.edits import entries

_INHERITED: Final = ("description", "examples", "input_filters")


def inherit_from_agents(tree: Tree) -> Tree:
    """Complete listener entries from their agents."""
    places = _inheritable(tree.data)
    if not places:
        return tree
    moves: list[Move] = []
    listeners = tree.data.get("listeners")
    for index, listener in entries(listeners):
        for position, offer in entries(listener.get("agents")):
            moves += _moves(("listeners", index, "agents", position), offer, places)
    return tree.changed(_copy_values(tree.data, moves), moves=tuple(moves)) if moves else tree


def _inheritable(data: dict[str, Any]) -> dict[tuple[str, str], Path]:
    """Map (id of an agent, key) to where the agent has the key; the first agent of an id counts."""
    places: dict[tuple[str, str], Path] = {}
    for index, agent in entries(data.get("agents")):
        for key in _INHERITED:
            if isinstance(agent.get("id"), str) and agent.get(key) is not None:
                places.setdefault((agent["id"], key), ("agents", index, key))
    return places


def _moves(path: Path, offer: dict[str, Any], places: Mapping[tuple[str, str], Path]) -> list[Move]:
    agent_id = offer.get("id")
    if not isinstance(agent_id, str):
        return []
    return [Move((*path, key), places[agent_id, key]) for key in _INHERITED if key not in offer and (agent_id, key) in places]


def _copy_values(data: dict[str, Any], moves: list[Move]) -> dict[str, Any]:
    """Copy the listeners once, then fill in every value."""
    listeners: Any = [
        {**listener, "agents": [dict(offer) if isinstance(offer, dict) else offer for offer in listener["agents"]]}
        if isinstance(listener, dict) and isinstance(listener.get("agents"), list)
        else listener
        for listener in data["listeners"]
    ]
    for move in moves:
        _, listener, _, offer, key = move.new
        _, agent, _ = move.old
        listeners[listener]["agents"][offer][key] = data["agents"][agent][key]
    return {**data, "listeners": listeners}
