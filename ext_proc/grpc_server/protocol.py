"""One connection on asyncio: connects the transport, the HTTP/2 core and the calls."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Final, assert_never, cast

from ext_proc.grpc_server.call import Call, Method
from ext_proc.grpc_server.exchange import Exchange, Exchanges
from ext_proc.grpc_server.http2.connection import Connection
from ext_proc.grpc_server.http2.events import (
    ConnectionFailed,
    DataReceived,
    DataSent,
    Event,
    LastStreamKnown,
    RequestReceived,
    StreamReset,
)
from ext_proc.grpc_server.http2.header_blocks import encode_block
from ext_proc.grpc_server.messages import MessageLimit
from ext_proc.grpc_server.status import Status
from ext_proc.grpc_server.tasks import Tasks
from process_log import get_logger

_MAX_UNREAD_BYTES: Final = 1 << 28
"""Maximum of unread output before the connection is closed: windows bound data, but nothing else bounds answers to PINGs."""
_NOT_GRPC: Final = encode_block(((":status", "415"),))


class GrpcProtocol(asyncio.Protocol):
    """Serves the calls and exchanges of one connection."""

    def __init__(
        self,
        methods: Mapping[str, Method],
        exchanges: Exchanges,
        lost: Callable[["GrpcProtocol"], None],
        limit: MessageLimit,
        tasks: Tasks,
    ) -> None:
        self._methods = methods
        self._exchanges = exchanges
        self._tasks = tasks
        self._limit = limit
        self._lost = lost
        self._connection = Connection()
        self._calls: dict[int, Call | Exchange] = {}
        self._transport: asyncio.Transport | None = None
        self._is_reading = False
        self._after_read: list[Callable[[], None]] = []
        self._is_leaving = False

    # For the server.

    def drain(self) -> None:
        """Accept no more calls; the connection closes when all are answered."""
        self._connection.drain()
        self.flush()

    def close(self) -> None:
        """Cancel all active calls."""
        if self._transport is not None:
            self._transport.abort()

    # For asyncio.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the connection preface."""
        self._transport = cast("asyncio.Transport", transport)
        self.flush()

    def data_received(self, data: bytes) -> None:
        """Process input, and write all answers together."""
        self._is_reading = True
        try:
            for event in self._connection.receive(data):
                self._handle(event)
            if self._after_read:
                callbacks, self._after_read = self._after_read, []
                for callback in callbacks:
                    callback()
        finally:
            self._is_reading = False
        self.flush()

    def connection_lost(self, exc: Exception | None) -> None:
        """Cancel all calls."""
        del exc
        self._transport = None
        self._lost(self)
        self._cancel_all()

    # For calls.

    def begin(self, stream_id: int, block: bytes) -> None:
        """Send headers."""
        self._connection.begin(stream_id, block)

    def send(self, stream_id: int, data: bytes) -> bool:
        """Send data; False if some of it must wait."""
        return self._connection.send(stream_id, data)

    def end(self, stream_id: int, block: bytes) -> None:
        """Send trailers, or headers that are all; without a block, nothing but the end."""
        self._calls.pop(stream_id, None)
        self._connection.end(stream_id, block)

    def reset(self, stream_id: int, code: int) -> None:
        """Break an answer off."""
        self._calls.pop(stream_id, None)
        self._connection.reset(stream_id, code)

    def consumed(self, stream_id: int, size: int) -> None:
        """Let more come in."""
        self._connection.consumed(stream_id, size)

    def after_read(self, callback: Callable[[], None]) -> None:
        """Call back once everything that came together has been received."""
        self._after_read.append(callback)

    def flush(self) -> None:
        """Write pending output, unless more is about to follow."""
        transport = self._transport
        if self._is_reading or transport is None:
            return
        output = self._connection.take()
        if output:
            transport.write(output)
            if transport.get_write_buffer_size() > _MAX_UNREAD_BYTES:
                transport.abort()
        if self._connection.is_over or (self._is_leaving and not self._connection.streams):
            self._end()

    # For the connection.

    def _handle(self, event: Event) -> None:
        match event:
            case DataReceived(stream_id, data, ends):
                call = self._calls.get(stream_id)
                if call is not None:
                    call.take(data, ends=ends)
            case RequestReceived():
                self._begin(event)
            case StreamReset(stream_id):
                call = self._calls.pop(stream_id, None)
                if call is not None:
                    call.cancel()
            case DataSent(stream_id):
                call = self._calls.get(stream_id)
                if call is not None:
                    call.resume()
            case LastStreamKnown():
                self._is_leaving = True
            case ConnectionFailed(code, reason):
                get_logger().warning("connection_failed", code=code, reason=reason)
                self._cancel_all()
            case _:
                assert_never(event)

    def _begin(self, request: RequestReceived) -> None:
        stream_id, headers, ends = request
        if (serve := self._exchanges(headers)) is not None:
            exchange = self._calls[stream_id] = Exchange(self, stream_id, headers, self._limit)
            exchange.start(serve, self._tasks)
            exchange.take(b"", ends=ends)
            return
        if headers[":method"] != "POST" or not headers.get("content-type", "").startswith("application/grpc"):
            self._connection.end(stream_id, _NOT_GRPC)
            return
        call = self._calls[stream_id] = Call(self, stream_id, headers, self._limit)
        method = self._methods.get(headers[":path"])
        if method is None:
            call.finish(Status.UNIMPLEMENTED, f"no method {headers[':path']}")
            return
        call.start(method)
        if ends:
            call.take(b"", ends=True)

    def _cancel_all(self) -> None:
        calls, self._calls = self._calls, {}
        for call in calls.values():
            call.cancel()

    def _end(self) -> None:
        if self._transport is not None:
            self._transport.close()
