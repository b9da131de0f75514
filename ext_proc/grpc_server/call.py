"""One call: what its handler can do with it, and what the connection tells it."""

from collections.abc import Callable
from typing import Final, Protocol
from urllib.parse import quote

from ext_proc.grpc_server.http2.header_blocks import Headers, encode_block
from ext_proc.grpc_server.messages import MessageLimit, MessageReader, frame_message
from ext_proc.grpc_server.status import Abort, Status
from process_log import get_logger


class Handler(Protocol):
    """Serves one call. Its methods are called as things happen; none of them may wait."""

    def receive(self, message: bytes) -> None:
        """Take a message."""
        ...

    def end(self) -> None:
        """Take note that no message will follow."""
        ...

    def cancel(self) -> None:
        """Take note that the call is over without us: it was reset, its connection is gone, or it was not one of gRPC."""
        ...

    def resume(self) -> None:
        """Take note that everything sent is on its way, after it had to wait."""
        ...


Method = Callable[["Call"], Handler]
"""Begins to serve a call; raises Abort to refuse it."""


class Wire(Protocol):
    """Where a call's answer goes: the connection that it came by."""

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
        """Let more come in."""
        ...

    def after_read(self, callback: Callable[[], None]) -> None:
        """Call back once everything that came together has been received."""
        ...

    def flush(self) -> None:
        """Write what the others have left to be written."""
        ...


class Call:
    """A call from its first headers to its last. What is sent after its end goes nowhere."""

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
        """Headers of the call, names in lower case. Not to be changed."""
        self.is_over = False
        self.is_sent = True
        """Whether all that was sent is on its way: False while the peer's window is closed."""
        self.is_lagging = False
        """Set by a handler that has messages which it has not dealt with: then the peer may not send without end."""
        self._wire = wire
        self._reader = MessageReader(limit)
        self._handler: Handler | None = None
        self._has_begun = False
        self._held = 0

    # For handlers.

    def send(self, message: bytes) -> None:
        """Send a message. If the peer's window is closed it waits, see `is_sent`; a handler is told when that is over."""
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
        """Call back once everything that came together has been received, unless the call is over by then."""
        self._wire.after_read(lambda: self._call_back(callback))

    def catch_up(self) -> None:
        """Take note that the handler lags no more."""
        self.is_lagging = False
        self._let_more_come()

    # For the connection.

    def start(self, method: Method) -> None:
        """Begin to serve it."""
        try:
            self._handler = method(self)
        except Exception as error:  # noqa: BLE001 - told; a bug in one call must not take the others along
            self.fail(error)

    def take(self, data: bytes, *, ends: bool) -> None:
        """Take a piece of its body."""
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
        """End it for what its handler has raised."""
        if isinstance(error, Abort):
            self.finish(error.status, error.text)
            return
        get_logger().exception("call_failed", error=error)
        self.finish(Status.UNKNOWN, "the handler failed")

    def cancel(self) -> None:
        """Give it up: nobody waits for it any more."""
        if not self.is_over and self._handler is not None:
            self.is_over = True
            self._handler.cancel()

    def resume(self) -> None:
        """Go on: what was sent is on its way."""
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
