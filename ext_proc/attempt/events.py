"""Events of one attempt, and the replies of the attempt stage. An attempt is one request to one upstream.

Chunks of a response need no reply each. Until SendHeaders is sent, the client has seen nothing and Envoy may still retry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ext_proc.events import Continue, Respond


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptHeaders:
    """The request headers, the same for each attempt."""

    headers: Mapping[str, str]
    times: tuple[float, ...] = ()
    """When each attempt began, this one included, in seconds since 1970."""
    metadata: Mapping[str, str]
    """Dynamic metadata of the decide stage and of previous attempts, in the namespace `plano`."""
    may_detach: bool = False
    """Whether the body mode is STREAMED, in which the stage may detach."""

    @property
    def number(self) -> int:
        """1 for the first attempt."""
        return max(len(self.times), 1)


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """The request: its headers, and the whole body as left by the decide stage."""

    head: AttemptHeaders
    body: bytes


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """The upstream's response headers, names in lower case."""

    headers: Mapping[str, str]
    ends_stream: bool = False


@dataclass(frozen=True, slots=True)
class PlainResponse:
    """The head of an answer on a plain route, which is in another form than its client reads, and what decide has left."""

    metadata: Mapping[str, str]
    head: ResponseHeaders


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """A chunk of the response's body."""

    data: bytes
    ends_stream: bool = False


@dataclass(frozen=True, slots=True)
class RequestTrailers:
    """The request ends with trailers."""


@dataclass(frozen=True, slots=True)
class ResponseTrailers:
    """The response ends with trailers."""


AttemptEvent = AttemptRequest | RequestTrailers | PlainResponse | ResponseHeaders | ResponseBody | ResponseTrailers


@dataclass(frozen=True, slots=True, kw_only=True)
class SendHeaders:
    """Send the response headers with these changes."""

    set_headers: Mapping[str, str] = field(default_factory=dict)
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None
    """The whole body in STREAMED mode, if the upstream's headers ended the stream."""


@dataclass(frozen=True, slots=True)
class SendBody:
    """Send a chunk of body."""

    data: bytes
    ends_stream: bool = False


@dataclass(frozen=True, slots=True)
class SendTrailers:
    """Send the response's trailers."""


@dataclass(frozen=True, slots=True)
class Detach:
    """End the stage's part: held and later chunks pass unchanged. Only if `may_detach`."""


@dataclass(frozen=True, slots=True)
class AnswerChunk:
    """Answer the oldest unanswered chunk. Only if `may_detach`."""

    data: bytes | None
    """The replacement; None for no change."""


ResponseReply = SendHeaders | SendBody | SendTrailers | Detach
AttemptReply = Continue | Respond | ResponseReply | AnswerChunk
