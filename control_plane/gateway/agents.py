"""`agents` and `filters` -> clusters, routes, and what listeners offer.

Both kinds share one set of ids: an agent may be used as a filter (an MCP server, as in Plano) and a filter as an agent. An id
has one cluster and one route per role.
"""

from collections.abc import Container, Iterable, Mapping

from control_plane import ir
from control_plane.config.model import Agent, Filter, Listener, ListenerAgent, Overrides, PlanoConfig, Resilience
from control_plane.gateway.resilience import (
    build_circuit_breaker,
    connect_timeout,
    hash_header,
    idle_timeout,
    response_timeout,
    settings_of,
)
from control_plane.gateway.retries import agent_failover, agent_retry, chain_retries
from control_plane.gateway.upstream import parse_upstream
from control_plane.ir import names
from protos import filter_config_pb2 as pb

_CHAT_ONLY = ("chat_completions",)


def services(config: PlanoConfig) -> dict[str, Agent | Filter]:
    """Return all agents and filters by id."""
    known: list[Agent | Filter] = [*config.agents, *config.filters]
    return {service.id: service for service in known}


def offered_agents(config: PlanoConfig) -> list[str]:
    """Return the ids that any listener offers as agents, or gives a role, sorted."""
    known = services(config)
    return sorted({agent_id for listener in config.listeners for agent_id in listeners_agents(listener, known)})


def listeners_agents(listener: Listener, known: Container[str]) -> list[str]:
    """Return the ids that a listener offers as agents, or gives a role in their orchestration, sorted."""
    role = listener.orchestration.role if listener.is_orchestrated else None
    variants = (variant.agent for agent in listener.agents for variant in agent.variants)
    return sorted(
        {*(agent.id for agent in listener.agents), *variants, *([role] if role is not None and role in known else [])}
    )


def called_agents(config: PlanoConfig) -> list[str]:
    """Return the ids of the agents that are offered or are fallbacks of these, sorted."""
    offered = offered_agents(config)
    known = services(config)
    return sorted({*offered, *(name for agent_id in offered for name in _fallbacks(known[agent_id]))})


def build_agent_chains(config: PlanoConfig) -> list[ir.Chain]:
    """Build the chains of offered agents with fallbacks."""
    known = services(config)
    chained = [known[agent_id] for agent_id in offered_agents(config) if _fallbacks(known[agent_id])]
    return [_chain(service, settings_of(service.resilience, config.overrides), config.overrides) for service in chained]


def _fallbacks(service: Agent | Filter) -> tuple[str, ...]:
    return service.fallbacks if isinstance(service, Agent) else ()


def _chain(service: Agent | Filter, settings: Resilience, overrides: Overrides) -> ir.Chain:
    ids = (service.id, *_fallbacks(service))
    path = parse_upstream(service.instances[0].url).path
    return ir.Chain(
        name=names.chain(names.agent(service.id)),
        members=tuple(ir.ChainMember(cluster=names.agent(agent_id), agent=agent_id, path_prefix=path) for agent_id in ids),
        connect_timeout_seconds=connect_timeout(settings, overrides),
        circuit_breaker=build_circuit_breaker(settings),
    )


def used_filters(config: PlanoConfig) -> list[str]:
    """Return the ids that some chain uses as filters, sorted."""
    chains = [listener.input_filters for listener in config.listeners if listener.type == "model"]
    chains += [agent.input_filters for listener in config.listeners for agent in listener.agents]
    chains += [listener.output_filters for listener in config.listeners if listener.filters_answers]
    return sorted({filter_id for chain in chains for filter_id in chain})


def build_agents(listener: Listener, known: Mapping[str, Agent | Filter], overrides: Overrides) -> list[ir.Route]:
    """Build the routes of an agent listener."""
    return [_agent_route(known[agent_id], known, listener, overrides) for agent_id in listeners_agents(listener, known)]


def _agent_route(
    service: Agent | Filter, known: Mapping[str, Agent | Filter], listener: Listener, overrides: Overrides
) -> ir.Route:
    """Build the route to one agent, which receives the client's credentials."""
    settings = settings_of(service.resilience, overrides)
    response_seconds = response_timeout(settings, listener.timeout)
    fallbacks = _fallbacks(service)
    instances = [len(known[name].instances) for name in (service.id, *fallbacks)]
    return ir.Route(
        name=names.agent(service.id),
        cluster=names.chain(names.agent(service.id)) if fallbacks else names.agent(service.id),
        hash_header="" if fallbacks else hash_header(settings),
        path_prefix=parse_upstream(service.instances[0].url).path,
        total_timeout_seconds=settings.timeouts.total,
        response_timeout_seconds=response_seconds,
        idle_timeout_seconds=idle_timeout(settings, listener.idle_timeout, response_seconds),
        retry=agent_retry(settings, chain_retries(agent_failover(instances), settings, listener.max_retries)),
        keeps_credentials=True,
    )


def build_filter(service: Agent | Filter) -> pb.Filter:
    """Build one step of a filter chain."""
    settings = service if isinstance(service, Filter) else Filter(id=service.id, url=service.url)
    return pb.Filter(
        id=settings.id,
        type=settings.type,
        route=names.filter_(settings.id),
        tool=settings.tool_name,
        path=parse_upstream(settings.instances[0].url).path if settings.instances else "",
        callable=settings.callable,
        passthrough_auth=settings.passthrough_auth,
        timeout_seconds=settings.timeout,
        passes_on_error=settings.on_error == "pass",
        hold_back=settings.hold_back,
    )


def with_examples(description: str, examples: Iterable[str]) -> str:
    """Append the examples to a description in quotes: routers recognise quoted examples."""
    quoted = " ".join(f'"{example.replace(chr(34), chr(39))}"' for example in examples)
    return f"{description.rstrip().removesuffix('.')}. For example: {quoted}" if quoted else description


def spoken_apis(service: Agent | Filter) -> tuple[str, ...]:
    """Return the APIs that an agent speaks, the best first."""
    return service.api if isinstance(service, Agent) else _CHAT_ONLY


def _told_apis(service: Agent | Filter) -> tuple[str, ...]:
    apis = spoken_apis(service)
    return () if apis == _CHAT_ONLY else apis


def build_choice(agent: ListenerAgent, known: Mapping[str, Agent | Filter]) -> pb.Agent:
    """Build an agent of a listener."""
    return pb.Agent(
        id=agent.id,
        description=with_examples(agent.description, agent.examples),
        route=names.agent(agent.id),
        default=agent.default,
        input_filters=agent.input_filters,
        apis=_told_apis(known[agent.id]),
        variants=[
            pb.Variant(
                id=variant.agent,
                route=names.agent(variant.agent),
                weight=variant.weight,
                header=(variant.header or "").lower(),
                value=variant.value,
                apis=_told_apis(known[variant.agent]),
            )
            for variant in agent.variants
        ],
    )
