"""The values shared by the steps of one HTTP transaction: request, services and record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ext_proc.apis.api import Api
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import GatewayError
from ext_proc.events import Continue
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.plan.listeners import Listener
from ext_proc.plan.plan import Plan
from ext_proc.ports import Egress
from ext_proc.routing.affinity.sessions import NoSessions, SessionStore
from ext_proc.routing.agents.decision_memory import DecisionMemory
from ext_proc.routing.agents.semantic_rung import SemanticRung
from ext_proc.routing.models.measures import Measures
from protos.contract.metadata import METADATA_API


@dataclass(frozen=True, slots=True)
class Services:
    """The plan and the ports that a decision uses."""

    plan: Plan
    egress: Egress
    mcp_sessions: McpSessions
    measures: Measures = field(default_factory=Measures)
    """Current prices and latencies of models."""
    sessions: SessionStore = field(default_factory=NoSessions)
    """The session store."""
    semantic: SemanticRung | None = None
    """None: no semantic rung."""
    memory: DecisionMemory = field(default_factory=DecisionMemory)
    """The cache of orchestrator decisions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A complete downstream request."""

    listener: Listener
    api: Api
    query: str
    """With its question mark, or empty."""
    headers: Mapping[str, str]
    """Names in lower case, with a valid traceparent."""
    body: bytes
    value: JsonObject
    """The body, parsed."""
    rest: str = ""
    """What follows in the path where the API has several."""
    form: str = ""
    """Content type of a body that is a form; empty: it is JSON, or there is none."""
    was_compressed: bool = False
    """Whether the client's body was compressed."""


def go_on(request: Request, body: bytes, *, headers: Mapping[str, str], metadata: Mapping[str, str]) -> Continue:
    """Forward a request with this body."""
    is_changed = request.was_compressed or body != request.body
    length = {"content-length": str(len(body))} if is_changed else {}
    return Continue(
        set_headers={**headers, **length},
        remove_headers=("content-encoding",) if request.was_compressed else (),
        body=body if is_changed else None,
        clear_route_cache=True,
        metadata={**metadata, METADATA_API: request.api},
    )


@dataclass(slots=True)
class Record:
    """The record for log and metrics. Names are configured ones or empty, never a client's."""

    listener: str
    caller: str = ""
    """Whose key, certificate or token the request has shown; empty where none is asked for."""
    api: str = ""
    agent: str = ""
    model: str = ""
    route: str = ""
    """Name of the matching preference, or a constant; empty without preferences."""
    rung: str = ""
    reason: str = ""
    request_id: str = ""
    status: int = 0
    """Status of the gateway's own answer; 0 if the request was forwarded."""
    error: GatewayError | None = None
    refused_model: str = ""
    """The model of a change that the routing budget prevented; empty unless it is recorded."""
    refused_route: str = ""
    """The preference of that model, like `route`."""
    decision_seconds: float | None = None
    """Duration of the decision in seconds; None if there was none."""
