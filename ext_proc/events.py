"""What Envoy tells a session (events, nouns of what arrived) and what the session answers (replies, imperatives).

The counterpart on the wire is `wire`, the only package that knows the ext_proc protos.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The downstream request's head, names in lower case; values of a repeated header are joined by ", "."""

    headers: Mapping[str, str]
    ends_stream: bool
    """No body follows."""


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The whole buffered request body."""

    body: bytes
    head: RequestHeaders | None = None
    """What is known of the head, where no RequestHeaders came before."""


@dataclass(frozen=True, slots=True)
class Trailers:
    """Request trailers: looked at by nobody, answered so that the request goes on."""


Event = RequestHeaders | RequestBody | Trailers


@dataclass(frozen=True, slots=True, kw_only=True)
class Continue:
    """Let the request go on, changed as said."""

    set_headers: Mapping[str, str] = field(default_factory=dict)
    """Overwritten, or added."""
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None
    """None leaves the body alone; b"" empties it. Only in reply to RequestBody."""
    clear_route_cache: bool = False
    """Envoy chooses its route anew, from the changed headers."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Dynamic metadata for Envoy, in the namespace `plano`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Respond:
    """Answer the client now; nothing goes upstream."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    details: str = ""
    """Response code details for Envoy's access log: a constant word, never content."""
    metadata: Mapping[str, str] = field(default_factory=dict)


Reply = Continue | Respond
