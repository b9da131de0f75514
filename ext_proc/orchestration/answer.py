"""The merged answer of several agents to one request."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from ext_proc.apis.errors import render_error
from ext_proc.apis.registry import error_shape
from ext_proc.codec.json_body import JsonObject, parse_object
from ext_proc.continuation.ports import Source
from ext_proc.continuation.transaction import Head, StreamRequest
from ext_proc.errors import GatewayError, NotReady
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.orchestration.calls import TRACE_HEADERS, AgentCalls, AgentFailed
from ext_proc.orchestration.delivery import Delivery, Send, StreamDelivery, WholeDelivery
from ext_proc.orchestration.evaluation import evaluator
from ext_proc.orchestration.modes import Performance
from ext_proc.orchestration.part import Part
from ext_proc.plan.orchestration import Orchestration
from ext_proc.plan.plan import Plan
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent import Agent
from protos.contract.headers import AGENT_HEADER, DECISION_HEADER
from protos.contract.metadata import METADATA_AGENTS, METADATA_API, METADATA_DECISION, METADATA_LISTENER, split_names

_HOP_BY_HOP: Final = frozenset({"host", "connection", "keep-alive", "transfer-encoding", "content-length", "te", "upgrade"})


@dataclass(slots=True, kw_only=True)
class OrchestratedAnswer:
    """One request with several agents."""

    plan: Plan | None
    source: Source | None
    egress: Egress | None
    mcp_sessions: McpSessions
    request: StreamRequest
    answer_id: str
    """Unique: ids of the answer are made from it."""
    parts: list[Part] = field(default_factory=list)
    """The agents' parts, for log and metrics."""
    failures: list[AgentFailed] = field(default_factory=list)

    async def give(self, send: Send) -> None:
        """Send the headers, then the body."""
        try:
            await self._give(send)
        except GatewayError as error:
            refusal = render_error(error, error_shape(self.request.headers.get(":path", "/")))
            await send(Head(refusal.status, refusal.headers))
            await send(refusal.body)

    async def _give(self, send: Send) -> None:
        settings, agents = self._named()
        body = parse_object(self.request.body)
        calls = self._calls(self._head(agents), is_stream=body.get("stream") is True)
        delivery = self._delivery(calls, body, send)
        self.parts = delivery.parts
        trace = {name: calls.headers[name] for name in TRACE_HEADERS if name in calls.headers}
        judge = evaluator(settings.role, calls.api, egress=calls.egress, headers=trace)
        performance = Performance(settings=settings, agents=agents, body=body, calls=calls, delivery=delivery, evaluate=judge)
        self.failures = performance.failures
        try:
            await performance.perform()
        except AgentFailed as failure:
            await delivery.fail(failure)

    def _named(self) -> tuple[Orchestration, list[Agent]]:
        """Return the decided agents that still exist, if the configuration has changed since."""
        metadata = self.request.metadata
        listener = self.plan.listeners.get(metadata.get(METADATA_LISTENER, "")) if self.plan else None
        names = split_names(metadata.get(METADATA_AGENTS, ""))
        agents = [listener.called[name] for name in names if name in listener.called] if listener else []
        if listener is None or listener.orchestration is None or not agents:
            raise NotReady("The gateway's configuration is changing.", headers={"retry-after": "1"})
        return listener.orchestration, agents

    def _calls(self, headers: dict[str, str], *, is_stream: bool) -> AgentCalls:
        if self.source is None or self.egress is None:
            raise NotReady("The gateway's configuration is changing.", headers={"retry-after": "1"})
        return AgentCalls(
            source=self.source,
            egress=self.egress,
            mcp_sessions=self.mcp_sessions,
            api=self.request.metadata[METADATA_API],
            path=self.request.headers.get(":path", "/"),
            headers=_end_to_end(self.request.headers),
            is_stream=is_stream,
            answer_id=self.answer_id,
            answer_headers=headers,
        )

    def _head(self, agents: list[Agent]) -> dict[str, str]:
        decision = self.request.metadata.get(METADATA_DECISION)
        return {AGENT_HEADER: ", ".join(agent.id for agent in agents), **({DECISION_HEADER: decision} if decision else {})}

    def _delivery(self, calls: AgentCalls, body: JsonObject, send: Send) -> Delivery:
        if calls.is_stream:
            return StreamDelivery(calls.api, body, self.answer_id, int(time.time()), calls.answer_headers, send)
        return WholeDelivery(calls.api, self.answer_id, calls.answer_headers, send)


def _end_to_end(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name[0] != ":" and name not in _HOP_BY_HOP}
