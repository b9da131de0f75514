"""Agent listener: which agent answers, what its filters make of the request, and the route that leads there."""

import time

from ext_proc.apis.conversation import read_conversation
from ext_proc.apis.registry import PATHS
from ext_proc.decide.large_body import let_others_run
from ext_proc.decide.request import Record, Request, Services, go_on
from ext_proc.events import Continue
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.routing.agents.ladder import Decision, choose_agent
from protos.contract.headers import ROUTE_HEADER
from protos.contract.metadata import METADATA_AGENT, METADATA_DECISION, METADATA_ROUTE


async def decide_agent(request: Request, services: Services, record: Record) -> Continue:
    """Choose an agent and run its input filters.

    Raises:
        GatewayError: the request ends here.
    """
    decision = await _choose(request, services, record)
    agent = request.listener.agents[decision.agent]
    record.agent, record.rung, record.reason = agent.id, decision.rung, decision.reason
    body = request.body
    if agent.input_filters:
        filtered = FilteredRequest(path=PATHS[request.api], headers=request.headers, body=body)
        body = await run_chain(agent.input_filters, filtered, egress=services.egress, sessions=services.mcp_sessions)
    metadata = {
        METADATA_ROUTE: agent.route,
        METADATA_AGENT: agent.id,
        METADATA_DECISION: decision.header,
    }
    return go_on(request, body, headers={ROUTE_HEADER: agent.route}, metadata=metadata)


async def _choose(request: Request, services: Services, record: Record) -> Decision:
    conversation = read_conversation(request.api, request.value)
    await let_others_run(request.body)
    started = time.perf_counter()
    decision = await choose_agent(
        request.listener.pool,
        conversation,
        egress=services.egress,
        orchestrator=services.plan.orchestrator,
        headers=request.headers,
        semantic=services.semantic,
    )
    record.decision_seconds = time.perf_counter() - started
    return decision
