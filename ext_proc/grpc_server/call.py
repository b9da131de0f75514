"""One call: the interface for its handler, and the one for the connection."""

from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import quote

from ext_proc.grpc_server.http2.header_blocks import Headers, encode_block
from ext_proc.grpc_server.messages import MessageLimit, MessageReader, frame_message
from ext_proc.grpc_server.status import Abort, Status
from process_log import get_logger


class Handler(Protocol):
    """Serves one call. Its methods are callbacks, and must not block."""

    def receive(self, message: bytes) -> None:
        """Handle a message."""
        ...

    def end(self) -> None:
        """Handle the end of messages."""
        ...

    def cancel(self) -> None:
        """Handle a call that ended early: it was reset, its connection is closed, or it was not gRPC."""
        ...

    def resume(self) -> None:
        """Handle that everything sent has left, after it had to wait."""
        ...


Method = Callable[["Call"], Handler]
"""Starts to serve a call; raises Abort to reject it."""


class Wire(Protocol):
    """The connection of a call, for its answer."""

    def begin(self, stream_id: int, block: bytes) -> None:
        """Send headers."""
        ...

    def send(self, stream_id: int, data: bytes) -> bool:
        """Send data; False if some of it has to wait."""
        ...

    def end(self, stream_id: int, block: bytes) -> None:
        """Send trailers, or headers that are all; without a block, nothing but the end."""
        ...

    def reset(self, stream_id: int, code: int) -> None:
        """Break an answer off."""
        ...

    def consumed(self, stream_id: int, size: int) -> None:
        """Open the receive window."""
        ...

    def after_read(self, callback: Callable[[], None]) -> None:
        """Call back after all data of the current read has been processed."""
        ...

    def flush(self) -> None:
        """Write all pending output."""
        ...


class Call:
    """A call from its first headers to its last. Data sent after its end is dropped."""

    __slots__ = (
        "_handler",
        "_has_begun",
        "_held",
        "_reader",
        "_wire",
        "is_lagging",
        "is_over",
        "is_sent",
        "metadata",
        "stream_id",
    )

    def __init__(self, wire: Wire, stream_id: int, metadata: Headers, limit: MessageLimit) -> None:
        self.stream_id = stream_id
        self.metadata = metadata
        """Headers of the call, names in lower case. Must not be modified."""
        self.is_over = False
        self.is_sent = True
        """Whether everything sent has left: False while the peer's window is closed."""
        self.is_lagging = False
        """Set by a handler with unprocessed messages, to limit what the peer may send."""
        self._wire = wire
        self._reader = MessageReader(limit)
        self._handler: Handler | None = None
        self._has_begun = False
        self._held = 0

    # For handlers.

    def send(self, message: bytes) -> None:
        """Send a message. If the peer's window is closed it waits, see `is_sent`; then the handler's `resume` is called."""
        if not self.is_over:
            self._send(message)
            self._wire.flush()

    def finish(self, status: Status = Status.OK, text: str = "") -> None:
        """End the call, after what was sent."""
        if not self.is_over:
            self._end(_trailers(status, text) if self._has_begun else _only_trailers(status, text))

    def answer(self, message: bytes) -> None:
        """Send the last message."""
        if not self.is_over:
            self._send(message)
            self._end(_OK)

    def after_read(self, callback: Callable[[], None]) -> None:
        """Call back after all data of the current read has been processed, unless the call is over by then."""
        self._wire.after_read(lambda: self._call_back(callback))

    def catch_up(self) -> None:
        """Record that the handler has caught up."""
        self.is_lagging = False
        self._let_more_come()

    # For the connection.

    def start(self, method: Method) -> None:
        """Start to serve it."""
        try:
            self._handler = method(self)
        except Exception as error:  # noqa: BLE001 - reported; a bug in one call must not affect others
            self.fail(error)

    def take(self, data: bytes, *, ends: bool) -> None:
        """Process a chunk of its body."""
        if self.is_over or self._handler is None:
            return
        try:
            for message in self._reader.feed(data):
                self._handler.receive(message)
            if ends:
                self._take_end(self._handler)
        except Exception as error:  # noqa: BLE001 - as above
            self.fail(error)
            self._handler.cancel()
        self._held += len(data)
        self._let_more_come()

    def fail(self, error: Exception) -> None:
        """End it by its handler's exception."""
        if isinstance(error, Abort):
            self.finish(error.status, error.text)
            return
        get_logger().exception("call_failed", error=error)
        self.finish(Status.UNKNOWN, "the handler failed")

    def cancel(self) -> None:
        """Cancel it."""
        if not self.is_over and self._handler is not None:
            self.is_over = True
            self._handler.cancel()

    def resume(self) -> None:
        """Resume it: everything sent has left."""
        self.is_sent = True
        if self._handler is not None and not self.is_over:
            self._handler.resume()
        self._let_more_come()

    def _take_end(self, handler: Handler) -> None:
        if not self._reader.is_between_messages:
            raise Abort(Status.INTERNAL, "the body ended within a message")
        if not self.is_over:
            handler.end()

    def _call_back(self, callback: Callable[[], None]) -> None:
        if self.is_over or self._handler is None:
            return
        try:
            callback()
        except Exception as error:  # noqa: BLE001 - as above
            self.fail(error)
            self._handler.cancel()

    def _let_more_come(self) -> None:
        if self._held and self.is_sent and not self.is_lagging:
            held, self._held = self._held, 0
            self._wire.consumed(self.stream_id, held)
            self._wire.flush()

    def _send(self, message: bytes) -> None:
        if not self._has_begun:
            self._has_begun = True
            self._wire.begin(self.stream_id, _HEADERS)
        self.is_sent = self._wire.send(self.stream_id, frame_message(message))

    def _end(self, block: bytes) -> None:
        self.is_over = True
        self._wire.end(self.stream_id, block)
        self._wire.flush()


_STATUS_200: Final = ((":status", "200"), ("content-type", "application/grpc"))
_HEADERS: Final = encode_block(_STATUS_200)
_OK: Final = encode_block((("grpc-status", "0"),))
_MAX_TEXT: Final = 200


def _trailers(status: Status, text: str) -> bytes:
    return _OK if status is Status.OK else encode_block(_status_fields(status, text))


def _only_trailers(status: Status, text: str) -> bytes:
    return encode_block((*_STATUS_200, *_status_fields(status, text)))


def _status_fields(status: Status, text: str) -> tuple[tuple[str, str], ...]:
    return ("grpc-status", str(int(status))), ("grpc-message", quote(text[:_MAX_TEXT], safe=" !#$&'()*+,/:;=?@[]"))
