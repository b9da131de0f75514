"""Builds the whole gateway from the whole configuration."""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from control_plane import ir
from control_plane.config.model import LOOPBACK, Agent, Filter, Limits, Listener, PlanoConfig
from control_plane.gateway.agents import (
    build_agent_chains,
    build_agents,
    build_choice,
    build_filter,
    called_agents,
    services,
    used_filters,
)
from control_plane.gateway.aliases import SharedAlias, alias_chains, build_aliases, build_shared_aliases
from control_plane.gateway.attempt_routes import build_attempt_routes
from control_plane.gateway.callers import (
    build_callers,
    build_jwks_clusters,
    build_jwt,
    build_permissions,
    build_tls,
    credential_of,
)
from control_plane.gateway.chains import ChainedModel, all_chains, build_chain_routes, chained_models
from control_plane.gateway.continuations import build_continuations, build_continued_routes
from control_plane.gateway.egress import build_choosing_model, build_egress
from control_plane.gateway.embedding import build_embedder, choose_embedding
from control_plane.gateway.guards import guarded
from control_plane.gateway.models import (
    ProviderEntry,
    build_chain_choices,
    build_model,
    build_model_clusters,
    build_model_routes,
    provider_entries,
)
from control_plane.gateway.native_path import build_native_path, lead_natively
from control_plane.gateway.orchestration import (
    build_agent_calls,
    build_orchestrated_route,
    build_orchestration,
    needs_stage,
    role_models,
)
from control_plane.gateway.preferences import ChainedPreference, build_preferences, preference_chains
from control_plane.gateway.prices import build_prices
from control_plane.gateway.rankings import build_ranked_chains, build_ranked_routes, build_ranking_routes
from control_plane.gateway.rate_limits import build_rate_limits
from control_plane.gateway.runtime import Runtime
from control_plane.gateway.session_store import build_session_store
from control_plane.gateway.sessions import build_affinity, cache_marks_from, choosing_headers
from control_plane.gateway.sources import build_source_clusters, build_source_routes, build_sources
from control_plane.gateway.tracing import build_collector_cluster, build_collector_route, build_exporter, build_tracing
from control_plane.gateway.upstream import build_cluster
from control_plane.ir import names
from protos import filter_config_pb2 as pb

_Chained = tuple[ProviderEntry, ir.Chain]

_THIS_MACHINE = ("127.0.0.1", "[::1]", "host.docker.internal", "localhost")

DECISION_SLACK_SECONDS = 5.0
"""Time for parsing and deciding, besides filters and the orchestrator."""


def build_gateway(config: PlanoConfig, *, runtime: Runtime) -> ir.Gateway:
    """Build the gateway of a checked configuration."""
    config = guarded(config)
    overrides = config.overrides
    entries = provider_entries(config.model_providers, overrides)
    filters = _filters(config)
    listeners = _served(config)
    orchestrator = build_choosing_model(overrides.agent_orchestration_model, overrides, entries)
    routing_model = _routing_model(config, entries)
    choosing = partial(build_choosing_model, overrides=overrides, entries=entries)
    models = chained_models(entries, overrides)
    embedding = choose_embedding(config, entries, runtime)
    aliases = build_shared_aliases(config.model_aliases, entries, overrides)
    preferences = build_preferences(config.routing_preferences, entries, overrides)
    chained = _model_chains(models, aliases, preferences)
    continuations = build_continuations(chained, entries, listeners, overrides)
    chains = [
        *all_chains(models),
        *alias_chains(aliases),
        *(chain for _, chain in preference_chains(preferences)),
        *build_agent_chains(config),
        *continuations.chains,
        *build_ranked_chains(config),
    ]
    tracing = build_tracing(config.tracing)
    attempt_routes = (*build_attempt_routes(chains, entries), *build_ranking_routes(entries, config))
    clusters = [*_clusters(config, entries)]
    if embedding is not None and embedding.plan.built_in:
        clusters.append(build_embedder(runtime, overrides.upstream_connect_timeout))
    known = pb.FilterConfig(
        models=_models(models, attempt_routes), aliases=build_aliases(config.model_aliases, entries, aliases)
    )
    served = tuple(_listener(listener, config, models, chained, filters, known) for listener in listeners)
    store = build_session_store(config, runtime)
    return ir.Gateway(
        listeners=served,
        egress=build_egress(
            runtime,
            config,
            (step for step in filters.values() if not step.callable),
            (orchestrator, routing_model, *map(choosing, role_models(listeners, services(config)))),
            models,
            (
                *build_agent_calls(config, listeners),
                *continuations.egress_routes,
                *build_source_routes(config.model_metrics_sources, overrides),
                *([build_collector_route(tracing)] if tracing else ()),
                *([embedding.route] if embedding else ()),
            ),
        ),
        clusters=tuple(sorted(clusters, key=lambda cluster: cluster.name)),
        chains=tuple(sorted(chains, key=lambda chain: chain.name)),
        attempt_routes=tuple(sorted(attempt_routes, key=lambda route: route.name)),
        session_store=store,
        max_request_bytes=overrides.max_request_bytes,
        limits=_limits(overrides.limits, runtime),
        internal_cidrs=overrides.internal_cidrs,
        access_log_path=runtime.access_log_path,
        tracing=tracing,
        filter_config=pb.FilterConfig(
            listeners=[
                _plan(
                    listener,
                    services(config),
                    continues=bool(continuations.egress_routes),
                    orchestration=build_orchestration(listener, services(config), choosing),
                )
                for listener in listeners
            ],
            filters=filters.values(),
            python_folder=runtime.config_folder if any(step.callable for step in filters.values()) else "",
            models=known.models,
            aliases=known.aliases,
            orchestrator=orchestrator,
            egress_url=runtime.egress_url,
            preferences=[preference.plan() for preference in preferences],
            routing_model=routing_model,
            sources=build_sources(config.model_metrics_sources, entries),
            affinity=build_affinity(config, store),
            cache_marks_from=cache_marks_from(config),
            stream_retries=_stream_retries(listeners),
            counts_tokens=any(listener.rate_limits for listener in served),
            rankings=build_chain_choices({chain.client_api: chain for chain in build_ranked_chains(config)}).values(),
            tracing=build_exporter(tracing),
            max_request_bytes=overrides.max_request_bytes,
            embedding=embedding.plan if embedding else None,
            callers=build_permissions(config),
            prices=build_prices(config),
            disable_signals=overrides.disable_signals,
            latest_names=bool(overrides.gen_ai_latest_names),
        ),
    )


def _limits(limits: Limits, runtime: Runtime) -> ir.Limits:
    return ir.Limits(
        max_connections=min(limits.max_connections or runtime.max_connections, runtime.max_connections),
        connection_idle_seconds=limits.connection_idle_timeout,
        upload_idle_seconds=limits.upload_timeout,
        client_max_retries=limits.client_max_retries,
        client_max_timeout_seconds=limits.client_max_timeout,
    )


def _models(models: tuple[ChainedModel, ...], attempt_routes: Iterable[ir.Route]) -> list[pb.Model]:
    reached = {route.name for route in attempt_routes}
    built = (build_model(model.entry, model.chains, reached, times_streams=model.times_streams) for model in models)
    return sorted(built, key=lambda model: model.name)


def _served(config: PlanoConfig) -> list[Listener]:
    """Return the served listeners, sorted by name."""
    served = [listener for listener in config.listeners if listener.type != "prompt"]
    if config.model_providers and not any(listener.type == "model" for listener in served):
        served.append(Listener.model_validate({"type": "model"}))
    return sorted(served, key=lambda listener: listener.name)


def _routing_model(config: PlanoConfig, entries: tuple[ProviderEntry, ...]) -> pb.Orchestrator | None:
    """Build the routing model, also without configured preferences: requests may contain their own."""
    overrides = config.overrides
    name = overrides.llm_routing_model or overrides.agent_orchestration_model
    return build_choosing_model(name, overrides, entries)


def _filters(config: PlanoConfig) -> dict[str, pb.Filter]:
    """Return the filters that any chain uses, by id, sorted."""
    known = services(config)
    built = {filter_id: build_filter(known[filter_id]) for filter_id in used_filters(config)}
    if config.guard is not None:
        built[config.guard].refusal_message = config.guard_message
    return built


def _clusters(config: PlanoConfig, entries: tuple[ProviderEntry, ...]) -> Iterator[ir.Cluster]:
    known = services(config)
    for agent_id in called_agents(config):
        agent = known[agent_id]
        yield build_cluster(names.agent(agent_id), agent.instances, agent.resilience, config.overrides)
    for filter_id in used_filters(config):
        step = known[filter_id]
        if isinstance(step, Filter) and step.callable:
            continue
        yield build_cluster(names.filter_(filter_id), step.instances, step.resilience, config.overrides)
    for entry in entries:
        yield from build_model_clusters(entry, config.overrides)
    yield from build_source_clusters(config.model_metrics_sources, config.overrides)
    yield from build_jwks_clusters(config)
    if config.tracing is not None:
        yield build_collector_cluster(config.tracing, config.overrides)


def _listener(
    listener: Listener,
    config: PlanoConfig,
    models: tuple[ChainedModel, ...],
    chained: list[_Chained],
    filters: dict[str, pb.Filter],
    named: pb.FilterConfig,
) -> ir.Listener:
    shows_headers = any(_chains(listener)) or _wants_headers(config)
    native = None if shows_headers else build_native_path(listener, config, named)
    if listener.type == "agent":
        known = services(config)
        routes = build_agents(listener, known, config.overrides)
        routes += [build_orchestrated_route(listener, config.overrides)] if needs_stage(listener, known) else []
    else:
        routes = list(_model_routes(listener, config, models, chained))
    return ir.Listener(
        name=listener.name,
        kind=ir.ListenerKind(listener.type),
        address=listener.address or LOOPBACK,
        hosts=_hosts(listener),
        port=listener.port,
        routes=lead_natively(sorted(routes, key=lambda route: route.name), native),
        decision_timeout_seconds=_decision_timeout(listener, config, filters),
        choosing_headers=choosing_headers(config, listener),
        cors=_cors(listener),
        callers=build_callers(config, listener),
        credential=credential_of(listener),
        jwt=build_jwt(listener),
        tls=build_tls(listener),
        rate_limits=build_rate_limits(config, listener),
        filters_answers=listener.filters_answers,
        native_path=native,
        shows_headers=shows_headers,
    )


def _cors(listener: Listener) -> ir.Cors | None:
    if listener.cors is None:
        return None
    return ir.Cors(allow_origins=tuple(sorted(set(listener.cors.allow_origins))), max_age_seconds=listener.cors.max_age)


def _hosts(listener: Listener) -> tuple[str, ...]:
    """Return the allowed hosts: by default, a listener on loopback serves only names of this machine.

    Otherwise a web page could reach it by DNS rebinding.
    """
    if listener.allowed_hosts or listener.address:
        return tuple(sorted(set(listener.allowed_hosts)))
    return _THIS_MACHINE


def _stream_retries(listeners: Iterable[Listener]) -> int | None:
    """Return what the model listener, of which there is one, says of retries: those that continue a stream count, too."""
    return next((listener.max_retries for listener in listeners if listener.type == "model"), None)


def _model_routes(
    listener: Listener, config: PlanoConfig, models: tuple[ChainedModel, ...], chained: list[_Chained]
) -> Iterator[ir.Route]:
    for model in models:
        if not model.entry.is_internal:
            yield from build_model_routes(model.entry, listener, config.overrides)
    for entry, chain in chained:
        yield from build_chain_routes(chain, entry, listener, config.overrides)
    if listener.continues_streams:
        yield from build_continued_routes(chained, listener, config.overrides)
    yield from build_ranked_routes(build_ranked_chains(config), listener, config)


def _model_chains(
    models: tuple[ChainedModel, ...], aliases: tuple[SharedAlias, ...], preferences: tuple[ChainedPreference, ...]
) -> list[_Chained]:
    """Return each chain that client requests can use, with its first entry."""
    own = ((model.entry, model.chains) for model in models if not model.entry.is_internal)
    shared = ((share.entry, share.chains) for alias in aliases for share in alias.shares)
    chained = [(entry, chain) for entry, chains in (*own, *shared) for chain in chains.values()]
    return [*chained, *preference_chains(preferences)]


def _wants_headers(config: PlanoConfig) -> bool:
    """Whether headers are traced whose names are not known in advance."""
    attributes = config.tracing.span_attributes if config.tracing else None
    return attributes is not None and bool(attributes.header_prefixes)


def _decision_timeout(listener: Listener, config: PlanoConfig, filters: dict[str, pb.Filter]) -> float:
    """Bound the time of a decision: the slowest filter chain, the orchestrator if there is one, and some slack."""
    slowest = max((sum(filters[step].timeout_seconds for step in chain) for chain in _chains(listener)), default=0.0)
    return slowest + config.overrides.orchestration_timeout + DECISION_SLACK_SECONDS


def _chains(listener: Listener) -> list[tuple[str, ...]]:
    return [listener.input_filters] if listener.type == "model" else [agent.input_filters for agent in listener.agents]


def _plan(
    listener: Listener, known: Mapping[str, Agent | Filter], *, continues: bool, orchestration: pb.Orchestration | None
) -> pb.Listener:
    return pb.Listener(
        name=listener.name,
        kind=listener.type.upper(),
        agents=[build_choice(agent, known) for agent in listener.agents],
        input_filters=listener.input_filters if listener.type == "model" else (),
        continues_streams=continues and listener.type == "model",
        passes_streams_at_once=not listener.gates_streams,
        orchestration=orchestration,
        output_filters=listener.output_filters,
    )
