"""The server's end of one HTTP/2 connection, without I/O: `receive` input, act on its events, write what `take` returns.

A stream exists from its HEADERS until both directions have ended. An answer that ends before its request ends the stream:
the rest of the request is not needed (RFC 9113, 8.1). Frames of a closed stream are dropped (5.1).
"""

from typing import Final

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import ConnectionFault, ErrorCode, Setting, StreamFault
from ext_proc.grpc_server.http2.events import (
    ConnectionFailed,
    DataReceived,
    DataSent,
    Event,
    LastStreamKnown,
    RequestReceived,
    StreamReset,
)
from ext_proc.grpc_server.http2.header_blocks import FORGET_TABLE, BlockDecoder, MalformedHeaders
from ext_proc.grpc_server.http2.limits import Limits
from ext_proc.grpc_server.http2.reader import FrameReader, Reader
from ext_proc.grpc_server.http2.sending import Sender
from ext_proc.grpc_server.http2.streams import Stream

_DRAINING: Final = b"draining"
"""Payload of the PING whose acknowledgement shows that the peer has read the GOAWAY before it."""


class Connection:
    """One connection with one peer. `receive` never raises, whatever the peer sends, and `take` returns the right answer."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen
        self._limits = limits
        self._sender = Sender()
        self._streams: dict[int, Stream] = {}
        self._last_stream = 0
        """Highest identifier that the peer has used."""
        self._refused_from = codes.LAST_STREAM
        """Streams beyond it are not served."""
        self._blocks = BlockDecoder(limits.max_header_bytes)
        self._tells_table = True
        self._frames = FrameReader(limits, self._readers(), self._fail_stream)
        self._unreplenished = 0
        self._events: list[Event] = []
        self.is_over = False
        """Whether nothing can be read or sent any more."""
        self._introduce()

    # Called by the shell.

    @property
    def streams(self) -> int:
        """The number of open streams."""
        return len(self._streams)

    def receive(self, data: bytes) -> list[Event]:
        """Process input, in chunks of any size."""
        if self.is_over:
            return []
        events: list[Event] = []
        self._events = events
        try:
            self._frames.feed(data)
        except ConnectionFault as fault:
            self._fail(fault)
        return events

    def take(self) -> bytes:
        """Return and clear the pending output."""
        return self._sender.take()

    def begin(self, stream_id: int, block: bytes) -> None:
        """Send the headers of an answer; `block` is made by `encode_block`."""
        if stream_id in self._streams:
            self._sender.frame(frames.frame(codes.HEADERS, codes.END_HEADERS, stream_id, self._block(block)))

    def send(self, stream_id: int, data: bytes) -> bool:
        """Send a chunk of an answer; False if some of it must wait for the peer's window, until DataSent."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return True
        self._sender.data(stream, data)
        return not stream.unsent

    def end(self, stream_id: int, block: bytes) -> None:
        """End an answer by trailers, by headers alone, or, without a block, by an empty frame."""
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        self._sender.last(stream, self._block(block) if block else block)
        if stream.is_half_closed_local:
            self._close(stream)

    def reset(self, stream_id: int, code: int) -> None:
        """Reset a stream."""
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            self._sender.forget(stream)
            self._sender.frame(frames.rst_stream(stream_id, code))

    def consumed(self, stream_id: int, size: int) -> None:
        """Open the receive window by this much."""
        stream = self._streams.get(stream_id)
        if stream is None or stream.is_half_closed_remote:
            return
        stream.unreplenished += size
        if stream.unreplenished * 2 >= self._limits.stream_window_bytes:
            self._sender.frame(frames.window_update(stream_id, stream.unreplenished))
            stream.receive_window += stream.unreplenished
            stream.unreplenished = 0

    def drain(self) -> None:
        """Ask the peer to begin no more streams; until it has acknowledged that, new ones are served (6.8)."""
        self._sender.frame(frames.goaway(codes.LAST_STREAM, ErrorCode.NO_ERROR, "draining"))
        self._sender.frame(frames.frame(codes.PING, 0, 0, _DRAINING))

    # Frame handlers.

    def _readers(self) -> dict[int, Reader]:
        return {
            codes.DATA: self._data,
            codes.PRIORITY: self._priority,
            codes.RST_STREAM: self._rst_stream,
            codes.SETTINGS: self._settings,
            codes.PUSH_PROMISE: self._push_promise,
            codes.PING: self._ping,
            codes.GOAWAY: self._goaway,
            codes.WINDOW_UPDATE: self._window_update,
            codes.HEADERS: self._headers,
        }

    def _introduce(self) -> None:
        limits = self._limits
        announced = {
            Setting.MAX_CONCURRENT_STREAMS: limits.max_streams,
            Setting.INITIAL_WINDOW_SIZE: limits.stream_window_bytes,
            Setting.MAX_FRAME_SIZE: limits.max_frame_bytes,
            Setting.MAX_HEADER_LIST_SIZE: limits.max_header_bytes,
        }
        self._sender.frame(frames.settings(announced))
        self._sender.frame(frames.window_update(0, limits.connection_window_bytes - codes.DEFAULT_WINDOW))

    def _data(self, flags: int, stream_id: int, payload: bytes) -> None:
        size = len(payload)
        # The connection's window: replenished by halves, so a conforming peer cannot exceed it.
        self._unreplenished += size
        if self._unreplenished * 2 >= self._limits.connection_window_bytes:
            self._sender.frame(frames.window_update(0, self._unreplenished))
            self._unreplenished = 0
        stream = self._streams.get(stream_id)
        if stream is None:
            self._expect_known(stream_id, "DATA")
            return
        if stream.is_half_closed_remote:
            raise StreamFault(stream_id, ErrorCode.STREAM_CLOSED, "DATA after the end of the request")
        stream.receive_window -= size
        if stream.receive_window < 0:
            raise StreamFault(stream_id, ErrorCode.FLOW_CONTROL_ERROR, "more DATA than the stream's window")
        ends = bool(flags & codes.END_STREAM)
        stream.is_half_closed_remote = ends
        if flags & codes.PADDED:
            data = frames.unpad(payload)
            self.consumed(stream_id, size - len(data))
            payload = data
        self._events.append(DataReceived(stream_id, payload, ends))

    def _headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        """Process a complete block: the reader has joined CONTINUATIONs, and removed padding and priority."""
        ends = bool(flags & codes.END_STREAM)
        if not stream_id % 2:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "HEADERS of a stream that no client can begin")
        if stream_id <= self._last_stream:
            self._blocks.skip(payload)
            self._trailers(stream_id, ends=ends)
            return
        self._last_stream = stream_id
        self._request(stream_id, payload, ends=ends)

    def _request(self, stream_id: int, block: bytes, *, ends: bool) -> None:
        try:
            headers = self._blocks.decode(block)
        except MalformedHeaders as malformed:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, str(malformed)) from None
        if stream_id > self._refused_from:
            return
        if len(self._streams) >= self._limits.max_streams:
            raise StreamFault(stream_id, ErrorCode.REFUSED_STREAM, "more streams than were announced")
        stream = self._streams[stream_id] = self._sender.new_stream(stream_id, self._limits.stream_window_bytes)
        stream.is_half_closed_remote = ends
        self._events.append(RequestReceived(stream_id, headers, ends))

    def _trailers(self, stream_id: int, *, ends: bool) -> None:
        stream = self._streams.get(stream_id)
        if stream is None:
            return
        if stream.is_half_closed_remote:
            raise StreamFault(stream_id, ErrorCode.STREAM_CLOSED, "HEADERS after the end of the request")
        if not ends:
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "trailers that do not end the request")
        stream.is_half_closed_remote = True
        self._events.append(DataReceived(stream_id, b"", ends_stream=True))

    def _priority(self, _flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id == 0:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PRIORITY of no stream")
        if len(payload) != 5:
            raise StreamFault(stream_id, ErrorCode.FRAME_SIZE_ERROR, f"PRIORITY of {len(payload)} bytes")

    def _rst_stream(self, _flags: int, stream_id: int, payload: bytes) -> None:
        code = frames.read_number(payload, "RST_STREAM")
        self._expect_known(stream_id, "RST_STREAM")
        stream = self._streams.pop(stream_id, None)
        if stream is not None:
            self._sender.forget(stream)
            self._events.append(StreamReset(stream_id, code))

    def _settings(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "SETTINGS of a stream")
        if flags & codes.ACK:
            if payload:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "an acknowledgement with settings in it")
            return
        self._report_sent(self._sender.apply_settings(payload, self._streams))

    def _push_promise(self, _flags: int, _stream_id: int, _payload: bytes) -> None:
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PUSH_PROMISE from a client")

    def _ping(self, flags: int, stream_id: int, payload: bytes) -> None:
        if stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "PING of a stream")
        if len(payload) != 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"PING of {len(payload)} bytes")
        if not flags & codes.ACK:
            self._sender.frame(frames.frame(codes.PING, codes.ACK, 0, payload))
        elif payload == _DRAINING and self._refused_from == codes.LAST_STREAM:
            self._refused_from = self._last_stream
            self._sender.frame(frames.goaway(self._last_stream, ErrorCode.NO_ERROR, "draining"))
            self._events.append(LastStreamKnown())

    def _goaway(self, _flags: int, stream_id: int, payload: bytes) -> None:
        # The peer begins no more streams, and closes when it has its answers.
        if stream_id:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "GOAWAY of a stream")
        if len(payload) < 8:
            raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"GOAWAY of {len(payload)} bytes")

    def _window_update(self, _flags: int, stream_id: int, payload: bytes) -> None:
        increment = frames.read_number(payload, "WINDOW_UPDATE") & codes.MAX_WINDOW
        if stream_id:
            self._expect_known(stream_id, "WINDOW_UPDATE")
        if increment == 0:
            if stream_id == 0:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
            raise StreamFault(stream_id, ErrorCode.PROTOCOL_ERROR, "WINDOW_UPDATE by nothing")
        stream = self._streams.get(stream_id)
        if stream is not None or stream_id == 0:
            self._report_sent(self._sender.open_window(stream, increment))

    # Consequences.

    def _expect_known(self, stream_id: int, frame_name: str) -> None:
        if stream_id == 0 or stream_id > self._last_stream:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, f"{frame_name} of a stream that was not begun")

    def _report_sent(self, through: list[Stream]) -> None:
        for stream in through:
            if stream.is_half_closed_local:
                self._close(stream)
            else:
                self._events.append(DataSent(stream.id))

    def _block(self, block: bytes) -> bytes:
        if not self._tells_table:
            return block
        self._tells_table = False
        return FORGET_TABLE + block

    def _close(self, stream: Stream) -> None:
        del self._streams[stream.id]
        if not stream.is_half_closed_remote:
            self._sender.frame(frames.rst_stream(stream.id, ErrorCode.NO_ERROR))

    def _fail_stream(self, fault: StreamFault) -> None:
        stream = self._streams.pop(fault.stream_id, None)
        if stream is not None:
            self._sender.forget(stream)
            self._events.append(StreamReset(fault.stream_id, fault.code))
        self._sender.frame(frames.rst_stream(fault.stream_id, fault.code))

    def _fail(self, fault: ConnectionFault) -> None:
        self._sender.frame(frames.goaway(self._last_stream, fault.code, fault.reason))
        self._streams.clear()
        self.is_over = True
        self._events.append(ConnectionFailed(fault.code, fault.reason))
