"""Events from Envoy to a transaction (nouns), and its replies (imperatives).

The counterpart on the wire is `wire`, the only package that knows the ext_proc protos.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The downstream request headers, names in lower case; values of a repeated header are joined by ", "."""

    headers: Mapping[str, str]
    ends_stream: bool
    """No body follows."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The whole buffered request body."""

    body: bytes
    head: RequestHeaders | None = None
    """The known headers, if there was no RequestHeaders event."""


@dataclass(frozen=True, slots=True)
class Trailers:
    """Request trailers: ignored, but answered so that the request continues."""


Event = RequestHeaders | RequestBody | Trailers


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Forward the request with these changes."""

    set_headers: Mapping[str, str] = field(default_factory=dict)
    """Overwritten, or added."""
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None
    """None: no change; b"": an empty body. Only in reply to RequestBody."""
    clear_route_cache: bool = False
    """Envoy selects the route again, by the changed headers."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Dynamic metadata for Envoy, in the namespace `plano`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answer the client now, without an upstream."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    details: str = ""
    """Response code details for Envoy's access log: a constant word, never content."""
    metadata: Mapping[str, str] = field(default_factory=dict)


Reply = Continue | Respond
