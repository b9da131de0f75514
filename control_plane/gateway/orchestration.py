"""A route to the stage that answers for several agents, or one of another API, and routes by which it calls them."""

from collections.abc import Callable, Container, Iterable, Mapping
from typing import get_args

from control_plane import ir
from control_plane.config.model import Agent, AgentApi, Filter, Listener, Overrides, PlanoConfig
from control_plane.gateway.agents import build_agents, listeners_agents, services, spoken_apis
from control_plane.ir import names
from protos import filter_config_pb2 as pb


def needs_stage(listener: Listener, known: Mapping[str, Agent | Filter]) -> bool:
    """Tell whether ext_proc may have to answer for agents of a listener: for several together, or for one of another API."""
    if listener.type != "agent":
        return False
    apis = set(get_args(AgentApi))
    return listener.is_orchestrated or any(
        not apis <= {*spoken_apis(known[name])} for name in listeners_agents(listener, known)
    )


def build_orchestrated_route(listener: Listener, overrides: Overrides) -> ir.Route:
    """Build the route of requests that several agents answer; Envoy bounds the whole answer."""
    return ir.Route(
        name=names.orchestrated(listener.name),
        cluster=names.agent(listener.agents[0].id),  # Called by ext_proc, which answers.
        total_timeout_seconds=listener.orchestration.timeout or overrides.resilience.timeouts.total,
        response_timeout_seconds=listener.timeout,
        idle_timeout_seconds=0.0,
        retry=ir.Retry(on=()),
        keeps_credentials=True,
        is_resumable=True,
    )


def build_agent_calls(config: PlanoConfig, listeners: Iterable[Listener]) -> list[ir.Route]:
    """Build the routes of the egress listener; if several listeners offer an agent, the longest timeout counts."""
    routes: dict[str, ir.Route] = {}
    known = services(config)
    staged = (listener for listener in listeners if needs_stage(listener, known))
    for listener in staged:
        for route in build_agents(listener, known, config.overrides):
            before = routes.get(route.name)
            if before is None or before.response_timeout_seconds < route.response_timeout_seconds:
                routes[route.name] = route
    return list(routes.values())


def role_models(listeners: Iterable[Listener], agents: Container[str]) -> list[str]:
    """Return the models with a role in an orchestration, sorted."""
    roles = {listener.orchestration.role for listener in listeners if listener.is_orchestrated}
    return sorted(role for role in roles if role is not None and role not in agents)


def build_orchestration(
    listener: Listener, agents: Mapping[str, Agent | Filter], choosing: Callable[[str], pb.Orchestrator | None]
) -> pb.Orchestration | None:
    """Build the settings for ext_proc; a role that is not in `agents` is a model, which `choosing` builds."""
    if not needs_stage(listener, agents):
        return None
    settings = listener.orchestration
    role = settings.role if listener.is_orchestrated else None
    return pb.Orchestration(
        mode=settings.mode,
        shows_last_only=settings.stream == "last",
        continues_on_failure=settings.on_failure == "continue",
        omits_labels=not settings.labels,
        max_agents=settings.max_agents,
        max_rounds=settings.max_rounds,
        route=names.orchestrated(listener.name),
        role_agent=names.agent(role) if role is not None and role in agents else "",
        role_apis=spoken_apis(agents[role]) if role is not None and role in agents else (),
        role_model=choosing(role) if role is not None and role not in agents else None,
    )
