"""Agent listener: chooses the agents, runs the filters, and sets the route."""

import time
from collections.abc import Sequence

from ext_proc.apis.conversation import read_conversation
from ext_proc.apis.registry import PATHS
from ext_proc.decide.access import agents_for
from ext_proc.decide.large_body import let_others_run
from ext_proc.decide.request import Record, Request, Services, go_on
from ext_proc.errors import Forbidden, RequestError
from ext_proc.events import Continue
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.plan.orchestration import Orchestration
from ext_proc.routing.agents.agent import Agent
from ext_proc.routing.agents.ladder import Decision, choose_agent
from ext_proc.routing.agents.variants import pick_variant
from protos.contract.headers import AGENT_HEADER, INTERNAL_HEADER, ROUTE_HEADER
from protos.contract.metadata import (
    METADATA_AGENT,
    METADATA_AGENTS,
    METADATA_DECISION,
    METADATA_LISTENER,
    METADATA_ROUTE,
    join_names,
)


async def decide_agent(request: Request, services: Services, record: Record) -> Continue:
    """Choose the agents that answer; run the input filters of the one that does it alone, in the client's API.

    Raises:
        GatewayError: the request ends here.
    """
    decision = await _choose(request, services, record)
    agents = [_variant(request, request.listener.agents[name]) for name in decision.agents]
    record.rung, record.reason = decision.rung, decision.reason
    orchestration = request.listener.orchestration
    if orchestration is not None and orchestration.needs(len(agents), _choices(request)):
        agents = agents[: orchestration.max_agents]
        record.agent = agents[0].id
        return _together(request, orchestration, agents, decision)
    record.agent = agents[0].id
    if orchestration is not None and agents[0].api_for(request.api) != request.api:
        return _together(request, orchestration, agents[:1], decision)
    return await _alone(request, services, agents[0], decision)


async def _alone(request: Request, services: Services, agent: Agent, decision: Decision) -> Continue:
    body = request.body
    if agent.input_filters:
        filtered = FilteredRequest(path=PATHS[request.api], headers=request.headers, body=body)
        body = await run_chain(agent.input_filters, filtered, egress=services.egress, sessions=services.mcp_sessions)
    metadata = {METADATA_ROUTE: agent.route, METADATA_AGENT: agent.id, METADATA_DECISION: decision.header}
    return go_on(request, body, headers={ROUTE_HEADER: agent.route}, metadata=metadata)


def _together(request: Request, orchestration: Orchestration, agents: Sequence[Agent], decision: Decision) -> Continue:
    metadata = {
        METADATA_ROUTE: orchestration.route,
        METADATA_AGENT: ", ".join(agent.id for agent in agents),
        METADATA_AGENTS: join_names(agent.id for agent in agents),
        METADATA_LISTENER: request.listener.name,
        METADATA_DECISION: decision.header,
    }
    return go_on(request, request.body, headers={ROUTE_HEADER: orchestration.route}, metadata=metadata)


def _variant(request: Request, agent: Agent) -> Agent:
    """Return who answers in an agent's place: most have no variants."""
    if not agent.variants:
        return agent
    return pick_variant(agent, request.headers, read_conversation(request.api, request.value))


def _choices(request: Request) -> int:
    """Return how many alternative answers a chat client wants."""
    wanted = request.value.get("n")
    return wanted if isinstance(wanted, int) else 1


def _named(request: Request, services: Services) -> Decision | None:
    """Return the agent that the client names: by the header, if it is trusted, or as the model.

    Raises:
        RequestError: the header names an unknown agent.
        Forbidden: the caller may not use the agent.
    """
    agents = request.listener.agents
    allowed = agents_for(request, services).known
    wanted = request.headers.get(AGENT_HEADER) if request.headers.get(INTERNAL_HEADER) == "true" else None
    if wanted is not None and wanted not in agents:
        raise RequestError(f"No agent of this listener has the id in {AGENT_HEADER}.", param=AGENT_HEADER, code="unknown_agent")
    model = request.value.get("model")
    name = wanted or (model if isinstance(model, str) and model in agents else None)
    if name is None:
        return None
    if name not in allowed:
        raise Forbidden(f"This caller may not use the agent `{name}`.", param=AGENT_HEADER if wanted else "model")
    return Decision((name,), "named_agent", "by header" if wanted else "as the model")


async def _choose(request: Request, services: Services, record: Record) -> Decision:
    conversation = read_conversation(request.api, request.value)
    if (named := _named(request, services)) is not None:
        return named
    await let_others_run(request.body)
    started = time.perf_counter()
    decision = await choose_agent(
        agents_for(request, services),
        conversation,
        egress=services.egress,
        orchestrator=services.plan.orchestrator,
        headers=request.headers,
        semantic=services.semantic,
        memory=services.memory,
    )
    record.decision_seconds = time.perf_counter() - started
    return decision
