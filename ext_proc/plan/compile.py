"""FilterConfig -> Plan: checks that it is consistent, and makes every lookup table that the request path needs.

The control plane checks what users write; this checks the control plane, so that a mistake is a NACK with a reason and never
a failing request.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Final, TypeVar
from urllib.parse import quote

from ext_proc.plan.aliases import compile_alias, compile_route
from ext_proc.plan.chains import Holder, compile_chains, compile_resumable_routes, compile_targets
from ext_proc.plan.model_list import render_models
from ext_proc.plan.orchestration import Mode, Orchestration
from ext_proc.plan.plan import Listener, ListenerKind, Plan
from ext_proc.plan.preferences import compile_affinity, compile_configured, compile_sources
from ext_proc.plan.rankings import compile_rankings
from ext_proc.plan.targets import Target
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.runtime import (
    Agent,
    Caller,
    EmbeddingModel,
    Filter,
    FilterType,
    Model,
    ModelTables,
    Orchestrator,
    Share,
    Uncompilable,
)
from ext_proc.tracing.settings import Protocol, TracingSettings
from protos import filter_config_pb2 as pb

Value = TypeVar("Value")


_PATHS: Final = {"chat_completions": "/chat/completions", "decisions": "/decisions", "systemone": "/systemone"}
"""How each API of an orchestrator ends, behind what stands before all of a provider's."""


def compile_plan(config: pb.FilterConfig) -> Plan:
    """Compile a configuration.

    Raises:
        Uncompilable: it cannot work.
    """
    filters = _by_key(((item.id, _filter(item)) for item in config.filters), "filter")
    models = _by_key(((item.name, _model(item)) for item in config.models), "model")
    targets = compile_targets(config.models)
    shares = (share for item in config.aliases for share in item.shares)
    starts = (start for item in config.preferences for start in item.starts)
    holders: tuple[Holder, ...] = (*config.models, *shares, *starts)
    aliases = _by_key(((item.name, compile_alias(item, models)) for item in config.aliases), "alias")
    callers = _by_key(((item.name, _caller(item)) for item in config.callers), "caller")
    choosing = partial(_orchestrator, models=models, targets=targets)
    listeners = _by_key(
        ((item.name, _listener(item, filters, choosing, callers.values())) for item in config.listeners), "listener"
    )
    named = {name: shares[0].model for name, shares in aliases.items()}
    chains = compile_chains(holders, targets)
    rankings = compile_rankings(config.rankings, models, targets, chains)
    return Plan(
        version=config.version,
        listeners=listeners,
        filters=filters,
        entries=models,
        targets=targets,
        chains=chains,
        rankings=rankings.members,
        ranked_models=rankings.models,
        resumable=compile_resumable_routes(holders, targets),
        models=_tables(config.models, models, aliases, _default(config, models)),
        orchestrator=choosing(config.orchestrator) if config.HasField("orchestrator") else None,
        affinity=compile_affinity(config.affinity),
        cache_marks_from=config.cache_marks_from,
        counts_tokens=config.counts_tokens,
        max_request_bytes=config.max_request_bytes,
        sources=compile_sources(config.sources),
        preferences=compile_configured(config.preferences, models),
        routing_model=choosing(config.routing_model) if config.HasField("routing_model") else None,
        reads_signals=not config.disable_signals,
        latest_names=config.latest_names,
        tracing=_tracing(config.tracing) if config.HasField("tracing") else None,
        embedding=_embedding(config.embedding) if config.HasField("embedding") else None,
        callers=callers,
        egress_url=config.egress_url,
        models_body=render_models(models.values(), named),
        models_bodies={
            caller.name: render_models(models.values(), named, caller.may_ask)
            for caller in callers.values()
            if caller.models is not None
        },
    )


def _tracing(item: pb.Tracing) -> TracingSettings:
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


def _filter(item: pb.Filter) -> Filter:
    kinds = {pb.Filter.Type.MCP: FilterType.MCP, pb.Filter.Type.HTTP: FilterType.HTTP}
    if item.type not in kinds:
        raise Uncompilable(f"filter {item.id!r} has no type")
    if item.timeout_seconds <= 0:
        raise Uncompilable(f"filter {item.id!r} has no timeout")
    return Filter(
        id=item.id,
        type=kinds[item.type],
        route=item.route,
        tool=item.tool,
        path=item.path,
        passthrough_auth=item.passthrough_auth,
        timeout_seconds=item.timeout_seconds,
    )


def _listener(
    item: pb.Listener,
    filters: dict[str, Filter],
    choosing: Callable[[pb.Orchestrator], Orchestrator],
    callers: Iterable[Caller],
) -> Listener:
    chain = tuple(_lookup(filters, filter_id, "filter") for filter_id in item.input_filters)
    if item.kind == pb.Listener.Kind.MODEL:
        return Listener(
            name=item.name,
            kind=ListenerKind.MODEL,
            input_filters=chain,
            continues_streams=item.continues_streams,
            gates_streams=not item.passes_streams_at_once,
        )
    if item.kind != pb.Listener.Kind.AGENT:
        raise Uncompilable(f"listener {item.name!r} has no kind")
    agents = _by_key(((agent.id, _agent(agent, filters)) for agent in item.agents), f"agent of listener {item.name!r}")
    if not agents:
        raise Uncompilable(f"listener {item.name!r} has no agents")
    return Listener(
        name=item.name,
        kind=ListenerKind.AGENT,
        agents=agents,
        pool=compile_agents(tuple(agents.values())),
        pools={caller.name: _pool(caller.agents, agents) for caller in callers if caller.agents is not None},
        orchestration=_orchestration(item.orchestration, choosing) if item.HasField("orchestration") else None,
    )


def _pool(allowed: frozenset[str], agents: dict[str, Agent]) -> AgentPool:
    return compile_agents(tuple(agent for agent in agents.values() if agent.id in allowed))


def _caller(item: pb.Caller) -> Caller:
    return Caller(
        name=item.name,
        models=frozenset(item.models) if item.restricts_models else None,
        agents=frozenset(item.agents) if item.restricts_agents else None,
    )


def _orchestration(item: pb.Orchestration, choosing: Callable[[pb.Orchestrator], Orchestrator]) -> Orchestration:
    if item.mode not in set(Mode):
        raise Uncompilable(f"no orchestration has the mode {item.mode!r}")
    role = Agent(id=item.role_agent, description="", route=item.role_agent) if item.role_agent else None
    return Orchestration(
        mode=Mode(item.mode),
        shows_all=not item.shows_last_only,
        stops_on_failure=not item.continues_on_failure,
        labels=not item.omits_labels,
        max_agents=item.max_agents,
        max_rounds=item.max_rounds,
        role=choosing(item.role_model) if item.HasField("role_model") else role,
        route=item.route,
    )


def _agent(item: pb.Agent, filters: dict[str, Filter]) -> Agent:
    return Agent(
        id=item.id,
        description=item.description,
        route=item.route,
        is_default=item.default,
        input_filters=tuple(_lookup(filters, filter_id, "filter") for filter_id in item.input_filters),
    )


def _model(item: pb.Model) -> Model:
    routes = _by_key(
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


def _tables(
    items: Iterable[pb.Model], models: dict[str, Model], aliases: dict[str, tuple[Share, ...]], default: Model | None
) -> ModelTables:
    named = [model for model in models.values() if not model.is_internal and not model.is_wildcard]
    bare: dict[str, Model] = {}
    for model in named:
        bare.setdefault(model.name.partition("/")[2], model)
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


def _default(config: pb.FilterConfig, models: dict[str, Model]) -> Model | None:
    defaults = [_named(models, item.name, "the default") for item in config.models if item.default]
    if len(defaults) > 1:
        raise Uncompilable(f"two default models: {defaults[0].name!r} and {defaults[1].name!r}")
    return defaults[0] if defaults else None


def _named(models: dict[str, Model], name: str, what: str) -> Model:
    model = _lookup(models, name, "model")
    if model.is_wildcard:
        raise Uncompilable(f"{name!r} stands for many models, it cannot be {what}")
    return model


def _orchestrator(item: pb.Orchestrator, models: dict[str, Model], targets: Mapping[tuple[str, str], Target]) -> Orchestrator:
    model = _named(models, item.model, "the orchestrator's")
    route = model.routes.get("chat_completions")
    target = targets.get((model.name, "chat_completions"))
    if route is None or (route.by_attempt and target is None):
        raise Uncompilable(f"the orchestrator's model {model.name!r} does not speak chat_completions")
    # On the egress listener a chain's route leads to its first model alone, and no attempt stage makes the request.
    path = target.path if route.by_attempt and target else route.path
    if item.api not in ("", *_PATHS):
        raise Uncompilable(f"the orchestrator cannot be asked by {item.api!r}")
    # Providers serve their APIs side by side.
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


def _embedding(item: pb.Embedding) -> EmbeddingModel:
    if item.timeout_seconds <= 0:
        raise Uncompilable("the embedding model has no timeout")
    return EmbeddingModel(
        upstream_model=item.upstream_model,
        route=item.route,
        path=item.path,
        timeout_seconds=item.timeout_seconds,
        is_built_in=item.built_in,
    )


def _by_key(items: Iterable[tuple[str, Value]], kind: str) -> dict[str, Value]:
    table: dict[str, Value] = {}
    for key, value in items:
        if key in table:
            raise Uncompilable(f"{kind} {key!r} is there twice")
        table[key] = value
    return table


def _lookup(table: dict[str, Value], key: str, kind: str) -> Value:
    value = table.get(key)
    if value is None:
        raise Uncompilable(f"{kind} {key!r} is not defined")
    return value
