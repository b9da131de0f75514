"""Events of one attempt, and the replies of the attempt stage. An attempt is one request to one upstream.

Chunks of a response need no reply each. Until SendHeaders is sent, the client has seen nothing and Envoy may still retry.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ext_proc.events import Continue, Respond


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptHeaders:
    """The head of the request, the same for each attempt."""

    headers: Mapping[str, str]
    times: tuple[float, ...] = ()
    """When each attempt began, this one included, in seconds since 1970."""
    metadata: Mapping[str, str]
    """What decide and the attempts before left, in the namespace `plano`."""
    may_detach: bool = False
    """Whether the answer's pieces are answered one by one (STREAMED), and pass as they are once the stage detaches."""

    @property
    def number(self) -> int:
        """1 for the first attempt."""
        return max(len(self.times), 1)


@dataclass(frozen=True, slots=True)
class AttemptRequest:
    """The request: its head, and the whole body that decide left."""

    head: AttemptHeaders
    body: bytes


@dataclass(frozen=True, slots=True)
class ResponseHeaders:
    """The head of the upstream's response, names in lower case."""

    headers: Mapping[str, str]
    ends_stream: bool = False


@dataclass(frozen=True, slots=True)
class PlainResponse:
    """The head of an answer on a plain route, which is in another form than its client reads, and what decide has left."""

    metadata: Mapping[str, str]
    head: ResponseHeaders


@dataclass(frozen=True, slots=True)
class ResponseBody:
    """A piece of the response's body."""

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
    """Let the response's head go, changed as said."""

    set_headers: Mapping[str, str] = field(default_factory=dict)
    remove_headers: tuple[str, ...] = ()
    body: bytes | None = None
    """All of the body, where the upstream's head came without any and pieces are answered one by one."""


@dataclass(frozen=True, slots=True)
class SendBody:
    """Send a piece of body."""

    data: bytes
    ends_stream: bool = False


@dataclass(frozen=True, slots=True)
class SendTrailers:
    """Let the response's trailers go."""


@dataclass(frozen=True, slots=True)
class Detach:
    """Say no more: what is held and what will come passes as it is. Only where `may_detach`."""


@dataclass(frozen=True, slots=True)
class AnswerChunk:
    """Answer the oldest piece of body that was not answered yet. Only where `may_detach`."""

    data: bytes | None
    """What is sent in its place; None for itself."""


ResponseReply = SendHeaders | SendBody | SendTrailers | Detach
AttemptReply = Continue | Respond | ResponseReply | AnswerChunk
