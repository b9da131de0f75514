"""The `h2` package as the other end of an HTTP/2 connection: what it accepts is HTTP/2."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import h2.config
import h2.connection
import h2.errors
import h2.events

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.connection import Connection
from ext_proc.grpc_server.http2.events import Event
from ext_proc.grpc_server.http2.header_blocks import encode_block
from ext_proc.grpc_server.http2.limits import Limits

GRPC_HEADERS = (
    (":method", "POST"),
    (":scheme", "http"),
    (":path", "/a.Service/Method"),
    (":authority", "ext_proc"),
    ("te", "trailers"),
    ("content-type", "application/grpc"),
)


@dataclass(slots=True)
class Answer:
    """What a peer got on one stream."""

    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""
    trailers: list[tuple[bytes, bytes]] = field(default_factory=list)
    is_over: bool = False
    reset: int | None = None


BEGINNING = codes.PREFACE + frames.settings({})
"""What every client begins with, in bytes."""


def headers_frame(stream_id: int, flags: int = codes.END_HEADERS) -> bytes:
    """Return the frame that begins a request."""
    return frames.frame(codes.HEADERS, flags, stream_id, encode_block(GRPC_HEADERS))


def begun(*stream_ids: int, limits: Limits | None = None) -> Connection:
    """Return a connection on which these streams were begun, with nothing to say."""
    connection = Connection(limits or Limits())
    connection.receive(BEGINNING + b"".join(map(headers_frame, stream_ids)))
    connection.take()
    return connection


def data_of(connection: Connection) -> bytes:
    """Return the data that a connection sends now, of all streams."""
    return b"".join(payload for kind, _, _, payload in frames_of(connection.take()) if kind == codes.DATA)


def frames_of(output: bytes) -> list[tuple[int, int, int, bytes]]:
    """Return type, flags, stream and payload of each frame."""
    found, offset = [], 0
    while offset < len(output):
        word, flags, stream_id = frames.unpack_head(output, offset)
        after = offset + frames.HEAD_BYTES + (word >> 8)
        found.append((word & 0xFF, flags, stream_id, output[offset + frames.HEAD_BYTES : after]))
        offset = after
    return found


class Peer:
    """A client in memory, whose bytes reach `connection` whenever `exchange` is called."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding=None))
        self.h2.initiate_connection()
        self.answers: dict[int, Answer] = {}
        self.goaways: list[int] = []
        self.acknowledges = True
        """Whether it lets more data come."""

    def begin(self, headers: Iterable[tuple[str, str]] = GRPC_HEADERS, *, ends: bool = False) -> int:
        """Begin a request; returns its stream."""
        stream_id = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream_id, list(headers), end_stream=ends)
        self.answers[stream_id] = Answer()
        return stream_id

    def exchange(self) -> list[Event]:
        """Let both ends speak until they have nothing to say; returns what our end has reported."""
        reported: list[Event] = []
        self.record()
        while data := self.h2.data_to_send():
            reported += self.connection.receive(data)
            self.record()
        return reported

    def record(self) -> None:
        """Read what our end has to say."""
        for event in self.h2.receive_data(self.connection.take()):
            self._note(event)

    def _note(self, event: h2.events.Event) -> None:
        match event:
            case h2.events.ResponseReceived():
                self.answers[event.stream_id].headers = list(event.headers)
            case h2.events.DataReceived():
                self.answers[event.stream_id].body += event.data
                if self.acknowledges:
                    self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            case h2.events.TrailersReceived():
                self.answers[event.stream_id].trailers = list(event.headers)
            case h2.events.StreamEnded():
                self.answers[event.stream_id].is_over = True
            case h2.events.StreamReset():
                self.answers[event.stream_id].reset = int(event.error_code)
            case h2.events.ConnectionTerminated():
                self.goaways.append(int(event.error_code or 0))
            case _:
                pass
