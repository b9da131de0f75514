"""Gateway -> FilterConfig: what ext_proc must know, and no secret."""

from typing import Final

from control_plane.ir import model as ir
from protos import filter_config_pb2 as pb

_LISTENER_KINDS: Final = {ir.ListenerKind.AGENT: pb.Listener.AGENT, ir.ListenerKind.MODEL: pb.Listener.MODEL}
_FILTER_TYPES: Final = {ir.FilterType.MCP: pb.Filter.MCP, ir.FilterType.HTTP: pb.Filter.HTTP}


def build_filter_config(gateway: ir.Gateway, *, version: str = "") -> pb.FilterConfig:
    """Build the configuration of ext_proc."""
    return pb.FilterConfig(
        version=version,
        listeners=[_listener(plan) for plan in sorted(gateway.plans, key=lambda plan: plan.name)],
        filters=[_filter(step) for step in sorted(gateway.filters, key=lambda step: step.id)],
        models=[_model(model) for model in sorted(gateway.models, key=lambda model: model.name)],
        aliases=[pb.Alias(name=name, model=model) for name, model in sorted(gateway.aliases)],
        orchestrator=_orchestrator(gateway.orchestrator),
        egress_url=gateway.egress.url,
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


def _model(model: ir.Model) -> pb.Model:
    routes = sorted(model.routes, key=lambda route: route.api)
    return pb.Model(
        name=model.name,
        upstream_model=model.upstream_model,
        default=model.is_default,
        internal=model.is_internal,
        provider=model.provider,
        routes=[pb.ModelRoute(api=route.api, route=route.route, path=route.path) for route in routes],
    )


def _orchestrator(orchestrator: ir.Orchestrator | None) -> pb.Orchestrator | None:
    if orchestrator is None:
        return None
    return pb.Orchestrator(
        model=orchestrator.model,
        timeout_seconds=orchestrator.timeout_seconds,
        context_length=orchestrator.context_length,
    )
