"""Events of a connection. Tuples rather than dataclasses, because there are two for every call."""

from typing import NamedTuple

from ext_proc.grpc_server.http2.header_blocks import Headers


class RequestReceived(NamedTuple):
    """A stream begins."""

    stream_id: int
    headers: Headers
    ends_stream: bool


class DataReceived(NamedTuple):
    """A chunk of a request's body; call `consumed` when it is processed."""

    stream_id: int
    data: bytes
    ends_stream: bool


class StreamReset(NamedTuple):
    """A stream ended early: the peer reset it, or violated the protocol. Nothing can be sent on it."""

    stream_id: int
    code: int


class DataSent(NamedTuple):
    """All data of a stream that had to wait for the peer's window has been sent."""

    stream_id: int


class LastStreamKnown(NamedTuple):
    """The peer has acknowledged draining: no stream begins any more."""


class ConnectionFailed(NamedTuple):
    """The peer violated the protocol, and got GOAWAY: nothing more can be read or sent, every stream is over."""

    code: int
    reason: str


Event = RequestReceived | DataReceived | StreamReset | DataSent | LastStreamKnown | ConnectionFailed
