"""Checks ids of agents and filters: every used id is defined, and every defined id is used."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding, undefined, warning
from control_plane.config.lookup import defined_ids
from control_plane.config.model import Listener, PlanoConfig
from control_plane.config.source.paths import Path, render_path
from control_plane.config.suggest import suggest

_FILTER_FIELDS = ("input_filters", "output_filters")


def check_references(config: PlanoConfig) -> Iterator[Finding]:
    """Find undefined ids."""
    defined = {id_ for _, id_ in defined_ids(config)}
    for path, used in _used_agents(config):
        if used not in defined:
            yield undefined(path, "unknown-agent", f"no agent has the id `{used}`{suggest(used, defined)}")
    for path, used in _used_filters(config):
        if used not in defined:
            yield undefined(path, "unknown-filter", f"no filter has the id `{used}`{suggest(used, defined)}")


def check_duplicate_ids(config: PlanoConfig) -> Iterator[Finding]:
    """Find duplicate ids; agents and filters share one set."""
    seen: dict[str, str] = {}
    for path, id_ in defined_ids(config):
        if id_ in seen:
            message = f"`{id_}` is also the id of {seen[id_]}; agents and filters share one set of ids"
            yield Finding((*path, "id"), "duplicate-id", message)
        seen.setdefault(id_, render_path(path))


def check_offers(config: PlanoConfig) -> Iterator[Finding]:
    """Find listeners that offer an agent twice, or with two defaults."""
    for index, listener in enumerate(config.listeners):
        seen: set[str] = set()
        default: str | None = None
        for position, agent in enumerate(listener.agents):
            path: Path = ("listeners", index, "agents", position)
            if agent.id in seen:
                yield Finding((*path, "id"), "duplicate-agent", f"`{agent.id}` is already offered by this listener")
            seen.add(agent.id)
            if agent.default and default is not None:
                message = f"`{default}` is already the default of this listener, which can have one"
                yield Finding((*path, "default"), "two-defaults", message)
            default = agent.id if agent.default and default is None else default


def check_unused(config: PlanoConfig) -> Iterator[Finding]:
    """Find agents and filters that nothing refers to."""
    used = {name for _, name in (*_used_agents(config), *_used_filters(config))}
    used |= {name for agent in config.agents for name in agent.fallbacks}
    used |= {
        name for each in config.listeners for name in (each.orchestration.evaluator, each.orchestration.synthesizer) if name
    }
    for index, agent in enumerate(config.agents):
        if agent.id not in used:
            yield warning(("agents", index, "id"), "unused-agent", f"no listener offers `{agent.id}`")
    for index, filter_ in enumerate(config.filters):
        if filter_.id not in used:
            yield warning(("filters", index, "id"), "unused-filter", f"nothing uses `{filter_.id}`")


def _used_agents(config: PlanoConfig) -> Iterator[tuple[Path, str]]:
    for index, listener in enumerate(config.listeners):
        for position, agent in enumerate(listener.agents):
            yield ("listeners", index, "agents", position, "id"), agent.id
            for place, variant in enumerate(agent.variants):
                yield ("listeners", index, "agents", position, "variants", place, "agent"), variant.agent


def _used_filters(config: PlanoConfig) -> Iterator[tuple[Path, str]]:
    for index, agent in enumerate(config.agents):
        for position, name in enumerate(agent.input_filters or ()):
            yield ("agents", index, "input_filters", position), name
    if config.guard is not None:
        yield ("prompt_guards", "input_guards", "jailbreak", "filter"), config.guard
    for index, listener in enumerate(config.listeners):
        yield from _listener_filters(("listeners", index), listener)


def _listener_filters(path: Path, listener: Listener) -> Iterator[tuple[Path, str]]:
    for field in _FILTER_FIELDS:
        for position, name in enumerate(getattr(listener, field)):
            yield (*path, field, position), name
    for index, agent in enumerate(listener.agents):
        for position, name in enumerate(agent.input_filters):
            yield (*path, "agents", index, "input_filters", position), name
