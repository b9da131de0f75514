"""Sessions for tests: under the configuration of `filter_configs`, with an egress that answers as it is told."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ext_proc.decide.request import Services
from ext_proc.decide.transaction import Transaction
from ext_proc.events import RequestHeaders
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.plan.plan import compile_plan
from ext_proc.ports import EgressResponse
from protos.filter_config_pb2 import FilterConfig
from tests.kit.filter_configs import filter_config

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@dataclass
class StubEgress:
    """Gives the same answer to every call and remembers what was asked; by default echoes the body."""

    status: int = 200
    answer: bytes | None = None
    local_reply: str = ""
    calls: list[tuple[str, str, Mapping[str, str], bytes]] = field(default_factory=list)

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        self.calls.append((route, path, headers, body))
        return EgressResponse(self.status, {}, body if self.answer is None else self.answer, self.local_reply)


def new_transaction(listener: str, *, egress: StubEgress | None = None, config: FilterConfig | None = None) -> Transaction:
    plan = compile_plan(config or filter_config())
    return Transaction(listener, Services(plan, egress or StubEgress(), McpSessions()))


def head(
    path: str = "/v1/chat/completions", method: str = "POST", *, ends_stream: bool = False, **headers: str
) -> RequestHeaders:
    """The head of a request that has a traceparent already, unless an empty one is given."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    every = {":method": method, ":path": path, "x-request-id": "r-1", "traceparent": TRACEPARENT} | named
    return RequestHeaders({name: value for name, value in every.items() if value}, ends_stream)
