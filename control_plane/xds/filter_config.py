"""Gateway -> FilterConfig: what ext_proc must know, and no secret."""

from collections.abc import Iterable, Mapping
from typing import Final

from control_plane import ir
from protos import filter_config_pb2 as pb

_Members = Mapping[str, tuple[ir.ChainMember, ...]]
"""By chain: where its attempts go."""

_LISTENER_KINDS: Final = {ir.ListenerKind.AGENT: pb.Listener.AGENT, ir.ListenerKind.MODEL: pb.Listener.MODEL}
_FILTER_TYPES: Final = {ir.FilterType.MCP: pb.Filter.MCP, ir.FilterType.HTTP: pb.Filter.HTTP}


def build_filter_config(gateway: ir.Gateway, *, version: str = "") -> pb.FilterConfig:
    """Build the configuration of ext_proc."""
    members = {chain.name: chain.members for chain in gateway.chains}
    plans = {plan.alias: plan.shares for plan in gateway.alias_plans}
    return pb.FilterConfig(
        version=version,
        listeners=[_listener(plan) for plan in sorted(gateway.plans, key=lambda plan: plan.name)],
        filters=[_filter(step) for step in sorted(gateway.filters, key=lambda step: step.id)],
        models=[_model(model, members) for model in sorted(gateway.models, key=lambda model: model.name)],
        aliases=[_alias(name, model, plans.get(name, ()), members) for name, model in sorted(gateway.aliases)],
        preferences=[_preference(plan, members) for plan in gateway.preferences],
        affinity=_affinity(gateway.affinity, gateway.session_store),
        cache_marks_from=gateway.cache_marks_from,
        counts_tokens=any(listener.rate_limits for listener in gateway.listeners),
        sources=[_source(source) for source in gateway.sources],
        orchestrator=_orchestrator(gateway.orchestrator),
        rankings=_model_routes(gateway.rankings, members),
        routing_model=_orchestrator(gateway.routing_model),
        embedding=_embedding(gateway.embedding),
        egress_url=gateway.egress.url,
        max_request_bytes=gateway.max_request_bytes,
        tracing=_tracing(gateway.tracing),
        disable_signals=not gateway.reads_signals,
        latest_names=gateway.latest_names,
    )


def _tracing(tracing: ir.Tracing | None) -> pb.Tracing | None:
    if tracing is None:
        return None
    return pb.Tracing(
        route=tracing.collector.cluster,
        path=tracing.collector.path,
        protocol=tracing.collector.protocol,
        timeout_seconds=tracing.collector.timeout_seconds,
        interval_seconds=tracing.export_interval_seconds,
        queue_size=tracing.queue_size,
        batch_size=tracing.batch_size,
        resource={**dict(tracing.resource_attributes), "service.name": tracing.service_name},
        attributes=dict(tracing.static_attributes),
        header_prefixes=tracing.header_prefixes,
        captures_content=tracing.captures_content,
    )


def serialize(config: pb.FilterConfig) -> bytes:
    """Return the same bytes for the same content."""
    return config.SerializeToString(deterministic=True)


def _listener(plan: ir.ListenerPlan) -> pb.Listener:
    return pb.Listener(
        name=plan.name,
        kind=_LISTENER_KINDS[plan.kind],
        agents=[_agent(agent) for agent in plan.agents],
        input_filters=plan.input_filters,
        continues_streams=plan.continues_streams,
        passes_streams_at_once=not plan.gates_streams,
    )


def _agent(agent: ir.AgentChoice) -> pb.Agent:
    return pb.Agent(
        id=agent.id,
        description=agent.description,
        default=agent.is_default,
        input_filters=agent.input_filters,
        route=agent.route,
    )


def _filter(step: ir.Filter) -> pb.Filter:
    return pb.Filter(
        id=step.id,
        type=_FILTER_TYPES[step.type],
        route=step.route,
        tool=step.tool,
        path=step.path,
        passthrough_auth=step.passthrough_auth,
        timeout_seconds=step.timeout_seconds,
    )


def _model(model: ir.Model, members: _Members) -> pb.Model:
    return pb.Model(
        name=model.name,
        upstream_model=model.upstream_model,
        default=model.is_default,
        internal=model.is_internal,
        provider=model.provider,
        routes=_model_routes(model.routes, members),
        targets=[_target(target) for target in sorted(model.targets, key=lambda target: target.api)],
        own_ids=model.own_ids,
    )


def _model_routes(routes: Iterable[ir.ModelRoute], members: _Members) -> list[pb.ModelRoute]:
    return [_model_route(route, members) for route in sorted(routes, key=lambda route: route.api)]


def _model_route(route: ir.ModelRoute, members: _Members) -> pb.ModelRoute:
    tried = members[route.route] if route.by_attempt else ()
    return pb.ModelRoute(
        api=route.api,
        route=route.route,
        stream_route=route.stream_route,
        path=route.path,
        by_attempt=route.by_attempt,
        continued=route.continued,
        silence_seconds=route.silence_seconds,
        members=[
            pb.Member(model=member.model, api=member.api, resumed=member.resumed, resumed_api=member.resumed_api)
            for member in tried
        ],
    )


def _target(target: ir.ModelTarget) -> pb.Target:
    quirks = target.quirks
    differs = pb.Quirks(
        max_tokens_field=quirks.max_tokens_field,
        cache_markers=quirks.cache_markers,
        reasoning_history=quirks.reasoning_history,
        joins_text=quirks.joins_text,
        resume_method=quirks.resume_method,
    )
    return pb.Target(
        api=target.api,
        path=target.path,
        stream_path=target.stream_path,
        quirks=differs if differs.ByteSize() else None,
        client_key_header=target.client_key_header,
        route=target.route,
        failover_route=target.failover_route,
    )


def _alias(name: str, model: str, shares: Iterable[ir.AliasShare], members: _Members) -> pb.Alias:
    return pb.Alias(name=name, model=model, shares=[_share(share, members) for share in shares])


def _share(share: ir.AliasShare, members: _Members) -> pb.Share:
    return pb.Share(model=share.model, weight=share.weight, routes=_model_routes(share.routes, members))


def _preference(plan: ir.PreferencePlan, members: _Members) -> pb.Preference:
    starts = [pb.Start(model=start.model, routes=_model_routes(start.routes, members)) for start in plan.starts]
    return pb.Preference(name=plan.name, description=plan.description, models=plan.models, prefer=plan.prefer, starts=starts)


def _affinity(affinity: ir.Affinity | None, store: ir.SessionStore | None) -> pb.Affinity | None:
    if affinity is None:
        return None
    return pb.Affinity(
        ttl_seconds=affinity.ttl_seconds,
        max_entries=affinity.max_entries,
        tenant_header=affinity.tenant_header,
        implied_ttl_seconds=affinity.implied_ttl_seconds,
        user_only=affinity.user_only,
        budget=_budget(affinity.budget),
        store_url=store.url if store is not None else "",
    )


def _budget(budget: ir.Budget | None) -> pb.Budget | None:
    if budget is None:
        return None
    return pb.Budget(
        percent=budget.percent,
        replenishes=budget.replenishes,
        cached_share=budget.cached_share,
        records_refused=budget.records_refused,
    )


def _source(source: ir.Source) -> pb.Source:
    return pb.Source(
        feed=source.feed,
        route=source.route,
        path=source.path,
        interval_seconds=source.interval_seconds,
        aliases=dict(source.aliases),
    )


def _embedding(embedding: ir.Embedding | None) -> pb.Embedding | None:
    if embedding is None:
        return None
    return pb.Embedding(
        route=embedding.route,
        path=embedding.path,
        upstream_model=embedding.upstream_model,
        timeout_seconds=embedding.timeout_seconds,
        built_in=embedding.is_built_in,
    )


def _orchestrator(orchestrator: ir.Orchestrator | None) -> pb.Orchestrator | None:
    if orchestrator is None:
        return None
    return pb.Orchestrator(
        model=orchestrator.model,
        timeout_seconds=orchestrator.timeout_seconds,
        context_length=orchestrator.context_length,
    )
