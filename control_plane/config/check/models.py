"""Checks references to models: aliases, routing models and the embedding model."""

from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding, undefined, warning
from control_plane.config.lookup import ModelNames
from control_plane.config.model import NO_EMBEDDINGS, ModelProvider, PlanoConfig
from control_plane.config.providers import resolve_provider
from control_plane.config.source.paths import Path
from control_plane.config.suggest import suggest

HOSTED_ORCHESTRATOR: Final = "Plano-Orchestrator"
"""A model that needs no declaration: Plano hosts it."""


def check_aliases(config: PlanoConfig) -> Iterator[Finding]:
    """Find aliases that are dangling, circular, or hide a model."""
    models = ModelNames(config)
    aliases = config.model_aliases
    for name, alias in aliases.items():
        if models.means(name):
            message = f"`{name}` is also the name of a model, which could not be asked for any more"
            yield Finding(("model_aliases", name), "alias-shadows-model", message)
        path: Path = ("model_aliases", name, "target")
        if alias.target is None:
            continue
        if alias.target in aliases:
            if _is_circular(config, name):
                yield Finding(path, "alias-cycle", f"`{name}` leads back to itself")
        elif models.find(alias.target) is None:
            known = (*models.names(), *(other for other in aliases if other != name))
            yield undefined(path, "unknown-model", f"no model is called `{alias.target}`{suggest(alias.target, known)}")


def _is_circular(config: PlanoConfig, name: str) -> bool:
    """Whether an alias refers to itself in the end; a cycle that it only leads to is reported at its own members."""
    seen: set[str] = set()
    here = name
    while here in config.model_aliases and here not in seen:
        seen.add(here)
        here = config.model_aliases[here].first_target
    return here == name


def is_hosted_orchestrator(config: PlanoConfig, name: str) -> bool:
    """Whether a model is Plano's hosted orchestrator: it has that name and the user has not declared it."""
    return name.removeprefix("plano/") == HOSTED_ORCHESTRATOR and ModelNames(config).find(name) is None


def check_orchestration_model(config: PlanoConfig) -> Iterator[Finding]:
    """Find routing models that do not exist."""
    models = ModelNames(config)
    for field in ("agent_orchestration_model", "llm_routing_model"):
        name: str | None = getattr(config.overrides, field)
        path: Path = ("overrides", field)
        if name is None:
            continue
        entry = models.find(name) or models.find(name.removeprefix("plano/"))
        if entry is not None and not _speaks(entry, "chat_completions"):
            message = f"`{name}` cannot choose: its provider does not speak chat completions"
            yield Finding(path, "orchestrator-without-chat", message)
        if entry is not None or name in config.model_aliases:
            continue
        if not is_hosted_orchestrator(config, name):
            yield undefined(path, "unknown-model", f"no model is called `{name}`{suggest(name, models.names())}")
        else:
            message = f"`{name}` is not in model_providers: conversations are sent to the model that Plano hosts"
            yield warning(path, "hosted-orchestrator", message)


def check_embedding_model(config: PlanoConfig) -> Iterator[Finding]:
    """Find an embedding model that does not exist, has no embeddings API, or is not used."""
    path: Path = ("overrides", "agent_embedding_model")
    name, models = config.overrides.agent_embedding_model, ModelNames(config)
    if name == NO_EMBEDDINGS:
        return
    entry = models.find(name) if name else None
    if name and entry is None:
        yield undefined(path, "unknown-model", f"no model is called `{name}`{suggest(name, models.names())}")
    elif entry is not None and not _speaks(entry, "embeddings"):
        yield Finding(path, "model-without-embeddings", f"`{name}` cannot tell meanings: its provider serves no embeddings")
    elif name and not config.offers_choices:
        yield warning(path, "no-effect", "has no effect: no listener has several agents, and there are no preferences")


def _speaks(entry: ModelProvider, api: str) -> bool:
    provider = resolve_provider(entry.model, entry.provider_interface)
    return provider is None or api in provider.apis
