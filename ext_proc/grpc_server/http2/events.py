"""What a connection reports. Tuples rather than dataclasses: there are two of them for every call."""

from typing import NamedTuple

from ext_proc.grpc_server.http2.header_blocks import Headers


class RequestReceived(NamedTuple):
    """A stream begins."""

    stream_id: int
    headers: Headers
    ends_stream: bool


class DataReceived(NamedTuple):
    """A piece of a request's body; say `consumed` when it is out of the way."""

    stream_id: int
    data: bytes
    ends_stream: bool


class StreamReset(NamedTuple):
    """A stream is over before its time: the peer gave it up, or broke a rule. Nothing that is sent on it arrives."""

    stream_id: int
    code: int


class DataSent(NamedTuple):
    """All data of a stream that had to wait for the peer's window has been sent."""

    stream_id: int


class LastStreamKnown(NamedTuple):
    """The peer has heard that we drain: no stream begins any more."""


class ConnectionFailed(NamedTuple):
    """The peer broke a rule and was told which: nothing more can be read or sent, every stream is over."""

    code: int
    reason: str


Event = RequestReceived | DataReceived | StreamReset | DataSent | LastStreamKnown | ConnectionFailed
