"""FilterConfig -> Plan: models."""

from collections.abc import Iterable, Mapping
from typing import Final
from urllib.parse import quote

from ext_proc.errors import Uncompilable
from ext_proc.plan.aliases import compile_route
from ext_proc.plan.tables import by_key, lookup
from ext_proc.plan.targets import Target
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.models.model import Model, ModelTables, Share
from ext_proc.routing.models.prices import ModelPrice, Rates
from ext_proc.routing.semantic.model import EmbeddingModel
from protos import filter_config_pb2 as pb

_PATHS: Final = {"chat_completions": "/chat/completions", "decisions": "/decisions", "systemone": "/systemone"}
"""Path suffix of each orchestrator API, after the provider's prefix."""


def compile_model(item: pb.Model) -> Model:
    """Compile a model.

    Raises:
        Uncompilable: it cannot work.
    """
    routes = by_key(
        ((route.api, compile_route(route)) for route in item.routes),
        f"API of model {item.name!r}",
    )
    is_wildcard = item.name.endswith("/*")
    if is_wildcard == bool(item.upstream_model):
        raise Uncompilable(f"model {item.name!r} has {'an' if is_wildcard else 'no'} upstream model")
    return Model(
        name=item.name,
        upstream_model=item.upstream_model,
        provider=item.provider,
        is_internal=item.internal,
        routes=routes,
    )


def compile_tables(
    items: Iterable[pb.Model], models: dict[str, Model], aliases: dict[str, tuple[Share, ...]], default: Model | None
) -> ModelTables:
    """Build the lookup tables of all names of models."""
    named = [model for model in models.values() if not model.is_internal and not model.is_wildcard]
    bare: dict[str, Model] = {}
    for model in named:
        bare.setdefault(model.name.partition("/")[2], model)
    for model in named:
        # An entry with a name can also be requested by the ids of its model.
        bare.setdefault(model.upstream_model, model)
        bare.setdefault(f"{model.provider}/{model.upstream_model}", model)
    bare.pop("", None)
    return ModelTables(
        exact={model.name: model for model in named},
        bare=bare,
        aliases={name: shares[0].model for name, shares in aliases.items()},
        splits={name: shares for name, shares in aliases.items() if len(shares) > 1},
        wildcards={model.name.removesuffix("/*"): model for model in models.values() if model.is_wildcard},
        own_ids=tuple((begins, models[item.name]) for item in items for begins in item.own_ids),
        hidden=frozenset(model.name for model in models.values() if model.is_internal),
        default=default,
    )


def default_model(config: pb.FilterConfig, models: dict[str, Model]) -> Model | None:
    """Return the default model, None if there is none.

    Raises:
        Uncompilable: it cannot work.
    """
    defaults = [named_model(models, item.name, "the default") for item in config.models if item.default]
    if len(defaults) > 1:
        raise Uncompilable(f"two default models: {defaults[0].name!r} and {defaults[1].name!r}")
    return defaults[0] if defaults else None


def named_model(models: dict[str, Model], name: str, what: str) -> Model:
    """Return one model, which is not a wildcard; `what` names its purpose in errors.

    Raises:
        Uncompilable: it cannot work.
    """
    model = lookup(models, name, "model")
    if model.is_wildcard:
        raise Uncompilable(f"{name!r} stands for many models, it cannot be {what}")
    return model


def compile_orchestrator(
    item: pb.Orchestrator, models: dict[str, Model], targets: Mapping[tuple[str, str], Target]
) -> Orchestrator:
    """Compile a routing model and its route.

    Raises:
        Uncompilable: it cannot work.
    """
    model = named_model(models, item.model, "the orchestrator's")
    route = model.routes.get("chat_completions")
    target = targets.get((model.name, "chat_completions"))
    if route is None or (route.by_attempt and target is None):
        raise Uncompilable(f"the orchestrator's model {model.name!r} does not speak chat_completions")
    # On the egress listener a chain's route leads only to its first model, without the attempt stage.
    path = target.path if route.by_attempt and target else route.path
    if item.api not in ("", *_PATHS):
        raise Uncompilable(f"the orchestrator cannot be asked by {item.api!r}")
    # Providers serve their APIs under the same prefix.
    path = path.replace("/chat/completions", _PATHS[item.api or "chat_completions"])
    return Orchestrator(
        model=model.name,
        upstream_model=model.upstream_model,
        route=route.route,
        path=path.replace("{model}", quote(model.upstream_model, safe="")),
        timeout_seconds=item.timeout_seconds,
        context_length=item.context_length,
        api=item.api or "chat_completions",
        threshold=item.threshold or 0.5,
        cache_seconds=item.cache_seconds,
        tells_earlier=item.tells_earlier,
    )


def compile_embedding(item: pb.Embedding) -> EmbeddingModel:
    """Compile an embedding model.

    Raises:
        Uncompilable: it cannot work.
    """
    if item.timeout_seconds <= 0:
        raise Uncompilable("the embedding model has no timeout")
    return EmbeddingModel(
        upstream_model=item.upstream_model,
        route=item.route,
        path=item.path,
        timeout_seconds=item.timeout_seconds,
        is_built_in=item.built_in,
    )


def compile_price(item: pb.ModelPrice) -> ModelPrice:
    """Compile what a model costs.

    Raises:
        Uncompilable: it has no prices, or none for short requests.
    """
    tiers = tuple(
        Rates(
            above_tokens=tier.above_tokens,
            input=tier.input,
            cached_input=tier.cached_input,
            cache_write=tier.cache_write,
            output=tier.output,
            reasoning=tier.reasoning,
        )
        for tier in item.tiers
    )
    if not tiers or tiers[0].above_tokens or list(tiers) != sorted(tiers, key=lambda tier: tier.above_tokens):
        raise Uncompilable(f"the price of {item.model!r} has tiers that do not rise from 0")
    return ModelPrice(tiers)
