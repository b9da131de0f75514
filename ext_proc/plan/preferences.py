"""FilterConfig -> Plan: preferences, sources and sessions."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final, cast

from ext_proc.errors import Uncompilable
from ext_proc.plan.aliases import compile_route
from ext_proc.routing.affinity.sessions import Affinity, Budget
from ext_proc.routing.models.model import Model
from ext_proc.routing.models.preferences import PREFER_WORDS, Prefer, Preference, Preferences, compile_preferences
from ext_proc.routing.models.resolve import ResolvedModel
from ext_proc.routing.sources.source import Source, SourceKind
from protos import filter_config_pb2 as pb


def compile_configured(items: Iterable[pb.Preference], models: Mapping[str, Model]) -> Preferences | None:
    """Compile the configured preferences; None if there are none.

    Raises:
        Uncompilable: one is duplicate, or has an unknown model.
    """
    compiled: dict[str, Preference] = {}
    for item in items:
        if item.name in compiled:
            raise Uncompilable(f"preference {item.name!r} is there twice")
        compiled[item.name] = _preference(item, models)
    return compile_preferences(tuple(compiled.values())) if compiled else None


def compile_sources(items: Iterable[pb.Source]) -> tuple[Source, ...]:
    """Compile the sources of prices and latencies.

    Raises:
        Uncompilable: there are two of a kind, or one has an unknown format.
    """
    sources: dict[SourceKind, Source] = {}
    for item in items:
        kind = _FEEDS.get(item.feed)
        if kind is None or kind in sources:
            raise Uncompilable(f"source {item.feed!r} is {'one too many' if kind else 'of an unknown format'}")
        sources[kind] = Source(
            kind=kind,
            feed=item.feed,
            route=item.route,
            path=item.path,
            interval_seconds=item.interval_seconds,
            aliases=dict(item.aliases),
        )
    return tuple(sources.values())


def compile_affinity(item: pb.Affinity) -> Affinity:
    """Compile the settings of sessions, with defaults."""
    usual = Affinity()
    budget: Budget | None = None
    if item.HasField("budget"):
        given = item.budget
        budget = Budget(
            percent=given.percent,
            replenishes=given.replenishes,
            cached_share=given.cached_share,
            records_refused=given.records_refused,
        )
    return Affinity(
        ttl_seconds=item.ttl_seconds or usual.ttl_seconds,
        max_entries=item.max_entries or usual.max_entries,
        tenant_header=item.tenant_header,
        implied_ttl_seconds=item.implied_ttl_seconds,
        user_only=item.user_only,
        budget=budget,
        store_url=item.store_url,
    )


_FEEDS: Final = {"models.dev": SourceKind.COST, "digitalocean": SourceKind.COST, "prometheus": SourceKind.LATENCY}


def _preference(item: pb.Preference, models: Mapping[str, Model]) -> Preference:
    if not item.models or item.prefer not in PREFER_WORDS:
        raise Uncompilable(f"preference {item.name!r} has {'an unknown policy' if item.models else 'no models'}")
    found = tuple(_model(name, item, models) for name in item.models)
    return Preference(
        name=item.name,
        description=item.description,
        models=tuple(ResolvedModel(model, model.upstream_model, "route") for model in found),
        prefer=cast("Prefer", item.prefer),
        starts={start.model: _reached(_model(start.model, item, models), start) for start in item.starts},
    )


def _model(name: str, item: pb.Preference, models: Mapping[str, Model]) -> Model:
    model = models.get(name)
    if model is None or model.is_wildcard:
        raise Uncompilable(f"preference {item.name!r} names model {name!r}, which is {'many' if model else 'not defined'}")
    return model


def _reached(model: Model, start: pb.Start) -> Model:
    """Replace the model's routes by those with fallbacks."""
    return replace(model, routes={**model.routes, **{route.api: compile_route(route) for route in start.routes}})
