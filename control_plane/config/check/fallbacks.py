"""Checks fallbacks and weighted aliases: every name exists, means one model or agent, and occurs once."""

from collections.abc import Iterator, Sequence
from urllib.parse import urlsplit

from control_plane.config.check.finding import Finding, undefined
from control_plane.config.check.urls import url_defect
from control_plane.config.credentials import share_credentials
from control_plane.config.lookup import ModelNames
from control_plane.config.model import Agent, ModelAlias, ModelProvider, PlanoConfig
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest


def check_agent_fallbacks(config: PlanoConfig) -> Iterator[Finding]:
    """Find fallbacks of agents that are unknown or the agent itself."""
    by_id = {agent.id: agent for agent in config.agents}
    agents = set(by_id)
    filters = {filter_.id for filter_ in config.filters}
    for index, agent in enumerate(config.agents):
        for position, name in enumerate(agent.fallbacks):
            here: Path = ("agents", index, "fallbacks", position)
            if name in filters - agents:
                yield Finding(here, "fallback-to-filter", f"`{name}` is a filter; only an agent can answer for an agent")
            elif name not in agents:
                yield undefined(here, "unknown-agent", f"no agent has the id `{name}`{suggest(name, agents - {agent.id})}")
            elif name == agent.id:
                yield Finding(here, "fallback-to-itself", f"`{name}` cannot answer for itself; its retries do that")
            elif name in agent.fallbacks[:position]:
                yield Finding(here, "duplicate-fallback", f"`{name}` is already a fallback of `{agent.id}`")
            elif _url_path(by_id[name]) != _url_path(agent):
                yield Finding(
                    here, "mixed-paths", f"`{name}` should have the URL path of `{agent.id}`: both get the same request"
                )
            elif missing := [api for api in agent.api if api not in by_id[name].api]:
                spoken = ", ".join(by_id[name].api)
                yield Finding(
                    here,
                    "mixed-apis",
                    f"`{name}` speaks {spoken}, and not {', '.join(missing)}, as `{agent.id}` does: both get the same request",
                )


def _url_path(agent: Agent) -> str:
    """Return the path of an agent's URL; empty if the URL is invalid, which another check reports."""
    url = agent.instances[0].url if agent.instances else ""
    return "" if url_defect(url) else urlsplit(url).path.rstrip("/")


def check_model_fallbacks(config: PlanoConfig) -> Iterator[Finding]:
    """Find fallbacks of models that are unknown or the model itself."""
    models = ModelNames(config)
    for index, entry in enumerate(config.model_providers):
        path: Path = ("model_providers", index)
        yield from _models((*path, "fallbacks"), entry.fallbacks, [entry], config, models)


def check_alias_targets(config: PlanoConfig) -> Iterator[Finding]:
    """Find aliases with no target or both kinds of target, and targets that are not models."""
    models = ModelNames(config)
    for name, alias in config.model_aliases.items():
        path: Path = ("model_aliases", name)
        if alias.target is None and not alias.targets:
            yield Finding(path, "missing-field", "needs a `target`, or `targets` that share its requests")
        elif alias.target is not None and alias.targets:
            yield Finding((*path, "targets"), "two-targets", "cannot stand beside `target`: keep one of the two")
        yield from _split(path, alias, config, models)
        first = models.find(alias.target) if alias.target is not None else None
        own = [first] if first is not None else []
        yield from _models((*path, "fallbacks"), alias.fallbacks, own, config, models)


def _split(path: Path, alias: ModelAlias, config: PlanoConfig, models: ModelNames) -> Iterator[Finding]:
    seen: list[ModelProvider] = []
    for index, target in enumerate(alias.targets):
        here = (*path, "targets", index, "model")
        finding = _not_a_model(here, target.model, config, models)
        if finding is not None:
            yield finding
            continue
        entry = models.find(target.model)
        if entry in seen:
            yield Finding(here, "duplicate-target", f"`{target.model}` is already a target; add up the weights")
        seen += [entry] if entry is not None else []


def _models(
    path: Path, names: tuple[str, ...], own: Sequence[ModelProvider], config: PlanoConfig, models: ModelNames
) -> Iterator[Finding]:
    seen: list[ModelProvider] = []
    for index, name in enumerate(names):
        here = (*path, index)
        entry = models.find(name)
        finding = _not_a_model(here, name, config, models)
        if finding is not None:
            yield finding
        elif entry in own:
            yield Finding(here, "fallback-to-itself", f"`{name}` cannot answer for itself; its retries do that")
        elif entry in seen:
            yield Finding(here, "duplicate-fallback", f"`{name}` is already a fallback here")
        elif entry is not None and any(not share_credentials(entry, other) for other in own):
            message = f"`{name}` would be sent a client's own credentials that are meant for another, or get none"
            yield Finding(
                here,
                "fallback-of-passthrough",
                f"{message}: `passthrough_auth` must be on for both, at one provider and host",
            )
        seen += [entry] if entry is not None else []


def _not_a_model(path: Path, name: str, config: PlanoConfig, models: ModelNames) -> Finding | None:
    """Return why a name does not mean exactly one model."""
    entry = models.find(name)
    if entry is None and name in config.model_aliases:
        return Finding(path, "alias-as-model", f"`{name}` is an alias; name the model that it stands for")
    if entry is None:
        return undefined(path, "unknown-model", f"no model is called `{name}`{suggest(name, models.names())}")
    if entry.is_wildcard:
        return Finding(path, "wildcard-fallback", f"`{name}` stands for many models; name one of them")
    return None
