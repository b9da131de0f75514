"""FilterConfig -> Plan: listeners with their agents, filters and orchestration."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ext_proc.errors import Uncompilable
from ext_proc.filters.chain import CALLS
from ext_proc.filters.filter import Filter
from ext_proc.plan.orchestration import Mode, Orchestration
from ext_proc.plan.tables import by_key, lookup
from ext_proc.routing.agents.agent import CHAT_ONLY, Agent, Orchestrator, Variant
from ext_proc.routing.agents.agent_pool import AgentPool, compile_agents
from ext_proc.routing.callers import Caller
from protos import filter_config_pb2 as pb


class ListenerKind(StrEnum):
    """What a listener serves."""

    AGENT = "agent"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """The configuration of one listener."""

    name: str
    kind: ListenerKind
    agents: Mapping[str, Agent] = field(default_factory=dict)
    """By id, in the declared order. Agent listeners only."""
    called: Mapping[str, Agent] = field(default_factory=dict)
    """By id: the same, and their variants."""
    pool: AgentPool = field(default_factory=lambda: compile_agents(()))
    """What decisions among these agents need."""
    pools: Mapping[str, AgentPool] = field(default_factory=dict)
    """The same for callers that may not use all of them, by name."""
    orchestration: Orchestration | None = None
    """How several agents answer together, or one that speaks another API. None: one answers, whoever is named first."""
    input_filters: tuple[Filter, ...] = ()
    """Input filters of a model listener; agents have their own."""
    output_filters: tuple[Filter, ...] = ()
    """Output filters."""
    continues_streams: bool = False
    """Whether streams are resumed, if their route is resumable."""
    gates_streams: bool = True
    """Whether streams have a first-token gate."""


def compile_filter(item: pb.Filter) -> Filter:
    """Compile a filter.

    Raises:
        Uncompilable: its type is unknown, or it has no timeout.
    """
    if item.type not in CALLS:
        raise Uncompilable(f"filter {item.id!r} has no type")
    if bool(item.callable) != (item.type == "python"):
        raise Uncompilable(f"filter {item.id!r} is of type {item.type} and has the function {item.callable!r}")
    if item.timeout_seconds <= 0:
        raise Uncompilable(f"filter {item.id!r} has no timeout")
    return Filter(
        id=item.id,
        type=item.type,
        route=item.route,
        tool=item.tool,
        path=item.path,
        passthrough_auth=item.passthrough_auth,
        timeout_seconds=item.timeout_seconds,
        callable=item.callable,
        refusal_message=item.refusal_message,
        passes_on_error=item.passes_on_error,
        hold_back=item.hold_back,
    )


def compile_listener(
    item: pb.Listener,
    filters: dict[str, Filter],
    choosing: Callable[[pb.Orchestrator], Orchestrator],
    callers: Iterable[Caller],
) -> Listener:
    """Compile a listener.

    Raises:
        Uncompilable: it is invalid.
    """
    chain = tuple(lookup(filters, filter_id, "filter") for filter_id in item.input_filters)
    output = tuple(lookup(filters, filter_id, "filter") for filter_id in item.output_filters)
    if item.kind == pb.Listener.Kind.MODEL:
        return Listener(
            name=item.name,
            kind=ListenerKind.MODEL,
            input_filters=chain,
            output_filters=output,
            continues_streams=item.continues_streams,
            gates_streams=not item.passes_streams_at_once,
        )
    if item.kind != pb.Listener.Kind.AGENT:
        raise Uncompilable(f"listener {item.name!r} has no kind")
    agents = by_key(((agent.id, _agent(agent, filters)) for agent in item.agents), f"agent of listener {item.name!r}")
    if not agents:
        raise Uncompilable(f"listener {item.name!r} has no agents")
    return Listener(
        name=item.name,
        kind=ListenerKind.AGENT,
        output_filters=output,
        agents=agents,
        called={variant.agent.id: variant.agent for agent in agents.values() for variant in agent.variants} | agents,
        pool=compile_agents(tuple(agents.values())),
        pools={caller.name: _pool(caller.agents, agents) for caller in callers if caller.agents is not None},
        orchestration=_orchestration(item.orchestration, choosing) if item.HasField("orchestration") else None,
    )


def _pool(allowed: frozenset[str], agents: dict[str, Agent]) -> AgentPool:
    return compile_agents(tuple(agent for agent in agents.values() if agent.id in allowed))


def compile_caller(item: pb.Caller) -> Caller:
    """Compile a caller."""
    return Caller(
        name=item.name,
        models=frozenset(item.models) if item.restricts_models else None,
        agents=frozenset(item.agents) if item.restricts_agents else None,
    )


def _orchestration(item: pb.Orchestration, choosing: Callable[[pb.Orchestrator], Orchestrator]) -> Orchestration:
    if item.mode not in set(Mode):
        raise Uncompilable(f"no orchestration has the mode {item.mode!r}")
    role = _role(item) if item.role_agent else None
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


def _role(item: pb.Orchestration) -> Agent:
    return Agent(id=item.role_agent, description="", route=item.role_agent, apis=tuple(item.role_apis) or CHAT_ONLY)


def _agent(item: pb.Agent, filters: dict[str, Filter]) -> Agent:
    agent = Agent(
        id=item.id,
        description=item.description,
        route=item.route,
        is_default=item.default,
        input_filters=tuple(lookup(filters, filter_id, "filter") for filter_id in item.input_filters),
        apis=tuple(item.apis) or CHAT_ONLY,
    )
    return replace(agent, variants=tuple(_variant(agent, variant) for variant in item.variants))


def _variant(agent: Agent, item: pb.Variant) -> Variant:
    other = replace(agent, id=item.id, route=item.route, apis=tuple(item.apis) or CHAT_ONLY)
    return Variant(agent=other, weight=item.weight, header=item.header, value=item.value)
