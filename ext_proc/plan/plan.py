"""One whole configuration, compiled from FilterConfig.

A transaction keeps the plan that it started with, so a change never affects an active request. The control plane checks
users' input; this checks the control plane's, so that a mistake is a NACK with a reason and never a failing request.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from ext_proc.errors import Uncompilable
from ext_proc.filters.filter import Filter
from ext_proc.plan.aliases import compile_alias
from ext_proc.plan.chains import Holder, compile_chains, compile_resumable_routes, compile_targets
from ext_proc.plan.listeners import Listener, compile_caller, compile_filter, compile_listener
from ext_proc.plan.model_list import render_models
from ext_proc.plan.models import (
    compile_embedding,
    compile_model,
    compile_orchestrator,
    compile_price,
    compile_tables,
    default_model,
)
from ext_proc.plan.preferences import compile_affinity, compile_configured, compile_sources
from ext_proc.plan.rankings import compile_rankings
from ext_proc.plan.tables import by_key
from ext_proc.plan.targets import Member, ResumableRoute, Target
from ext_proc.routing.affinity.sessions import Affinity
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.callers import Caller
from ext_proc.routing.models.model import Model, ModelTables
from ext_proc.routing.models.preferences import Preferences
from ext_proc.routing.models.prices import ModelPrice
from ext_proc.routing.semantic.model import EmbeddingModel
from ext_proc.routing.sources.source import Source
from ext_proc.tracing.settings import Protocol, TracingSettings
from protos import filter_config_pb2 as pb


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The configuration that a transaction uses."""

    version: str
    listeners: Mapping[str, Listener] = field(default_factory=dict)
    filters: Mapping[str, Filter] = field(default_factory=dict)
    python_folder: str = ""
    """Where modules of Python filters are looked for first."""
    models: ModelTables = field(default_factory=ModelTables)
    entries: Mapping[str, Model] = field(default_factory=dict)
    """Every model by its configured name, for attempts."""
    targets: Mapping[tuple[str, str], Target] = field(default_factory=dict)
    """By model and upstream API."""
    chains: Mapping[str, tuple[Member, ...]] = field(default_factory=dict)
    """Members of the chain, by route."""
    rankings: Mapping[str, Mapping[str, Member]] = field(default_factory=dict)
    """Models that a request may rank in any order, by route and name."""
    ranked_models: Mapping[str, Model] = field(default_factory=dict)
    """Models with routes to ranked chains, by name."""
    resumable: Mapping[str, ResumableRoute] = field(default_factory=dict)
    """Resumable routes, by route."""
    orchestrator: Orchestrator | None = None
    """None: the built-in router is the first rung of the ladder."""
    preferences: Preferences | None = None
    """None: the requested model answers, unless the request has its own preferences."""
    affinity: Affinity = field(default_factory=Affinity)
    """How sessions keep their model."""
    cache_marks_from: int = 0
    """Minimum of tokens in tools and instructions for cache markers; 0: no markers."""
    stream_retries: int | None = None
    """Retries of a stream that may be continued, those that continue it among them; None: as many as there are ways."""
    counts_tokens: bool = False
    """Whether to estimate a request's tokens for rate limits."""
    sources: tuple[Source, ...] = ()
    """Sources of prices and latencies, at most one per kind."""
    routing_model: Orchestrator | None = None
    """The routing model for preferences. None: the built-in router."""
    reads_signals: bool = True
    """Whether signals are analysed."""
    latest_names: bool = False
    """Whether telemetry of model calls has the latest names of OpenTelemetry's conventions."""
    tracing: TracingSettings | None = None
    """None: nothing is traced."""
    embedding: EmbeddingModel | None = None
    """None: no semantic rung."""
    callers: Mapping[str, Caller] = field(default_factory=dict)
    """Callers by name."""
    prices: Mapping[str, ModelPrice] = field(default_factory=dict)
    """Prices of answers, by model."""
    egress_url: str = ""
    max_request_bytes: int = 0
    models_body: bytes = b""
    """The answer to GET /v1/models."""
    models_bodies: Mapping[str, bytes] = field(default_factory=dict)
    """The same for callers that may not use all of them, by name."""


def compile_plan(config: pb.FilterConfig) -> Plan:
    """Compile a configuration.

    Raises:
        Uncompilable: it cannot work.
    """
    filters = by_key(((item.id, compile_filter(item)) for item in config.filters), "filter")
    models = by_key(((item.name, compile_model(item)) for item in config.models), "model")
    targets = compile_targets(config.models)
    shares = (share for item in config.aliases for share in item.shares)
    starts = (start for item in config.preferences for start in item.starts)
    holders: tuple[Holder, ...] = (*config.models, *shares, *starts)
    aliases = by_key(((item.name, compile_alias(item, models)) for item in config.aliases), "alias")
    callers = by_key(((item.name, compile_caller(item)) for item in config.callers), "caller")
    choosing = partial(compile_orchestrator, models=models, targets=targets)
    listeners = by_key(
        ((item.name, compile_listener(item, filters, choosing, callers.values())) for item in config.listeners), "listener"
    )
    named = {name: shares[0].model for name, shares in aliases.items()}
    chains = compile_chains(holders, targets)
    rankings = compile_rankings(config.rankings, models, targets, chains)
    prices = by_key(((item.model, compile_price(item)) for item in config.prices), "price")
    return Plan(
        version=config.version,
        listeners=listeners,
        filters=filters,
        python_folder=config.python_folder,
        entries=models,
        targets=targets,
        chains=chains,
        rankings=rankings.members,
        ranked_models=rankings.models,
        resumable=compile_resumable_routes(holders, targets),
        models=compile_tables(config.models, models, aliases, default_model(config, models)),
        orchestrator=choosing(config.orchestrator) if config.HasField("orchestrator") else None,
        affinity=compile_affinity(config.affinity),
        cache_marks_from=config.cache_marks_from,
        stream_retries=config.stream_retries if config.HasField("stream_retries") else None,
        counts_tokens=config.counts_tokens,
        max_request_bytes=config.max_request_bytes,
        sources=compile_sources(config.sources),
        preferences=compile_configured(config.preferences, models),
        routing_model=choosing(config.routing_model) if config.HasField("routing_model") else None,
        reads_signals=not config.disable_signals,
        latest_names=config.latest_names,
        tracing=_tracing(config.tracing) if config.HasField("tracing") else None,
        embedding=compile_embedding(config.embedding) if config.HasField("embedding") else None,
        callers=callers,
        prices=prices,
        egress_url=config.egress_url,
        models_body=render_models(models.values(), named, prices),
        models_bodies={
            caller.name: render_models(models.values(), named, prices, caller.may_ask)
            for caller in callers.values()
            if caller.models is not None
        },
    )


def _tracing(item: pb.Tracing) -> TracingSettings:
    """Compile how spans are exported.

    Raises:
        Uncompilable: it cannot work.
    """
    protocols: dict[str, Protocol] = {"grpc": "grpc", "http/protobuf": "http/protobuf"}
    if item.protocol not in protocols:
        raise Uncompilable(f"tracing has the protocol {item.protocol!r}")
    if min(item.queue_size, item.batch_size) < 1 or min(item.timeout_seconds, item.interval_seconds) <= 0:
        raise Uncompilable("tracing has no bounds")
    return TracingSettings(
        route=item.route,
        path=item.path,
        protocol=protocols[item.protocol],
        timeout_seconds=item.timeout_seconds,
        interval_seconds=item.interval_seconds,
        queue_size=item.queue_size,
        batch_size=item.batch_size,
        resource=dict(item.resource),
        attributes=dict(item.attributes),
        header_prefixes=tuple(item.header_prefixes),
        captures_content=item.captures_content,
    )
