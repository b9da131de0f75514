"""A plain HTTP request and its answer, as a coroutine serves them: sent no faster than the peer's windows open.

For answers of any length: Envoy takes all that a call of gRPC sends, but reads an upstream's answer only as its client does.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable
from typing import Final

from ext_proc.grpc_server.call import Wire
from ext_proc.grpc_server.http2.codes import ErrorCode
from ext_proc.grpc_server.http2.header_blocks import Headers, encode_block
from ext_proc.grpc_server.messages import MessageLimit
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.grpc_server.tasks import Tasks
from process_log import get_logger

Serve = Callable[["Exchange"], Coroutine[None, None, None]]
Exchanges = Callable[[Headers], Serve | None]
"""Tells from a request's headers who serves it; None if it is no such request."""

_NO_BLOCK: Final = b""


class Exchange:
    """One such request. Its coroutine's return ends the answer, and an exception resets it; a reset cancels the coroutine."""

    def __init__(self, wire: Wire, stream_id: int, headers: Headers, limit: MessageLimit) -> None:
        self.headers = headers
        """Names in lower case, values as latin-1. Not to be changed."""
        self._wire = wire
        self._stream_id = stream_id
        self._max_bytes = limit.max_bytes
        self._body = bytearray()
        self._is_whole = False
        self._is_over = False
        self._is_sent = True
        self._moved = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    # For the coroutine.

    async def read(self) -> bytes:
        """Return the request's body, once it is whole."""
        await self._until(lambda: self._is_whole)
        return bytes(self._body)

    def begin(self, fields: Iterable[tuple[str | bytes, str | bytes]]) -> None:
        """Send the answer's head."""
        self._wire.begin(self._stream_id, encode_block(fields))
        self._wire.flush()

    async def write(self, data: bytes) -> None:
        """Send a piece of the answer, and wait until the peer's window has let all of it go."""
        if data:
            self._is_sent = self._wire.send(self._stream_id, data)
            self._wire.flush()
            await self._until(lambda: self._is_sent)

    # For its task.

    def start(self, serve: Serve, tasks: Tasks) -> None:
        """Begin to serve it."""
        self._task = tasks.start(self, serve(self))

    def finish(self) -> None:
        """End the answer."""
        if not self._is_over:
            self._is_over = True
            self._wire.end(self._stream_id, _NO_BLOCK)
            self._wire.flush()

    def fail(self, error: Exception) -> None:
        """Break the answer off, so that it does not look complete."""
        if not isinstance(error, Abort):
            get_logger().exception("call_failed", error=error)
        if not self._is_over:
            self._is_over = True
            self._wire.reset(self._stream_id, ErrorCode.INTERNAL_ERROR)
            self._wire.flush()

    # For the connection.

    def take(self, data: bytes, *, ends: bool) -> None:
        """Take a piece of the request's body."""
        self._body += data
        self._is_whole = ends
        if len(self._body) > self._max_bytes:
            self.fail(Abort(Status.RESOURCE_EXHAUSTED, "a body that is too long"))
            self.cancel()
            return
        self._wire.consumed(self._stream_id, len(data))
        self._wire.flush()
        self._moved.set()

    def cancel(self) -> None:
        """Give it up: nobody waits for it any more."""
        self._is_over = True
        if self._task is not None:
            self._task.cancel()

    def resume(self) -> None:
        """Go on: what was sent is on its way."""
        self._is_sent = True
        self._moved.set()

    async def _until(self, is_so: Callable[[], bool]) -> None:
        while not is_so():
            self._moved.clear()
            await self._moved.wait()
