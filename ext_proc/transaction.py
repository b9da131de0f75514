"""What the steps of one HTTP transaction hand to each other: the request, what they may call, and what is to be recorded."""

from collections.abc import Mapping
from dataclasses import dataclass

from ext_proc.apis.paths import Api
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import GatewayError
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.plan import Listener, Plan
from ext_proc.ports import Egress


@dataclass(frozen=True, slots=True)
class Services:
    """What one configuration lets a decision look up and call."""

    plan: Plan
    egress: Egress
    mcp_sessions: McpSessions


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


@dataclass(slots=True)
class Record:
    """What happened, for the log and the metrics. Names are configured ones or empty, never what a client sent."""

    listener: str
    api: str = ""
    agent: str = ""
    model: str = ""
    rung: str = ""
    reason: str = ""
    request_id: str = ""
    status: int = 0
    """Of our own answer; 0 if the request went on."""
    error: GatewayError | None = None
    decision_seconds: float | None = None
    """How long the choice among agents took; None if there was none to make."""
