"""The ports of decisions, as Protocols. There are few, because every call goes through Envoy.

Adapters live in `clients/`; tests bring their own.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

TIMEOUT_FLAGS: Final = frozenset({"UT", "SI", "DT", "UMSDR"})
"""Envoy's response flags for an upstream that was too slow: request, stream idle, duration and maximal stream duration."""

TOO_LARGE: Final = "too-large"
"""Stands in for response flags when the adapter gave up on a response that grew beyond its limit."""


@dataclass(frozen=True, slots=True)
class EgressResponse:
    """A response through the egress listener."""

    status: int
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes
    local_reply: str = ""
    """Envoy's response flags if Envoy (or the adapter in its place) answered; empty if the upstream itself did."""

    @property
    def timed_out(self) -> bool:
        """The upstream did not answer in time."""
        return bool(self.local_reply) and not TIMEOUT_FLAGS.isdisjoint(self.local_reply.split(","))

    @property
    def unreachable(self) -> bool:
        """Envoy got no answer from the upstream, for another reason than a timeout."""
        return bool(self.local_reply) and not self.timed_out


class Fetch(Protocol):
    """Sends GET requests through Envoy's egress listener."""

    async def get(self, route: str, path: str, *, headers: Mapping[str, str], timeout_seconds: float) -> EgressResponse:
        """GET from the upstream of `route`. Like `Egress.post`, never raises for network errors."""
        ...


class Egress(Protocol):
    """Calls an upstream through Envoy's egress listener."""

    async def post(
        self, route: str, path: str, *, headers: Mapping[str, str], body: bytes, timeout_seconds: float
    ) -> EgressResponse:
        """POST to the upstream of `route`. Never raises for network errors: see `EgressResponse.local_reply`."""
        ...
