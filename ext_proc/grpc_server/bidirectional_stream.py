"""Bidirectional streams as coroutines: read a message, write a message. A reset cancels the coroutine where it waits."""

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine

from ext_proc.grpc_server.call import Call, Method
from ext_proc.grpc_server.http2.header_blocks import Headers
from ext_proc.grpc_server.tasks import Tasks

Serve = Callable[["BidirectionalStream"], Coroutine[None, None, None]]


class BidirectionalStream:
    """One call, as seen by its coroutine."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._unread: deque[bytes] = deque()
        self._has_ended = False
        self._waiting: asyncio.Future[None] | None = None
        self._task: asyncio.Task[None] | None = None

    @property
    def metadata(self) -> Headers:
        """Headers of the call."""
        return self._call.metadata

    async def read(self) -> bytes | None:
        """Return the next message, None after the last one."""
        while not self._unread:
            if self._has_ended:
                return None
            await self._wait()
        message = self._unread.popleft()
        if not self._unread:
            self._call.catch_up()
        return message

    def read_at_once(self) -> bytes | None:
        """Return the next message if it is there already, else None."""
        if not self._unread:
            return None
        message = self._unread.popleft()
        if not self._unread:
            self._call.catch_up()
        return message

    async def write(self, message: bytes) -> None:
        """Send a message, and wait until the peer's window has let all of it pass."""
        self._call.send(message)
        while not self._call.is_sent:
            await self._wait()

    # For the call.

    def start(self, task: asyncio.Task[None]) -> None:
        """Set the coroutine's task."""
        self._task = task

    def receive(self, message: bytes) -> None:
        """Keep a message until it is read."""
        self._unread.append(message)
        self._call.is_lagging = True
        self._wake()

    def end(self) -> None:
        """Record that no message will follow."""
        self._has_ended = True
        self._wake()

    def cancel(self) -> None:
        """Cancel the coroutine."""
        if self._task is not None:
            self._task.cancel()

    def resume(self) -> None:
        """Wake the writer: its data is sent."""
        self._wake()

    async def _wait(self) -> None:
        self._waiting = asyncio.get_running_loop().create_future()
        try:
            await self._waiting
        finally:
            self._waiting = None

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)


def by_coroutine(serve: Serve, tasks: Tasks) -> Method:
    """Make a method of a coroutine function, which may read and write any number of messages; its return ends the call."""

    def method(call: Call) -> BidirectionalStream:
        stream = BidirectionalStream(call)
        stream.start(tasks.start(call, serve(stream)))
        return stream

    return method
