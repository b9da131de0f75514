"""Unary calls: the first message of a stream is answered, any other is ignored."""

import asyncio
from collections.abc import Callable, Coroutine

from ext_proc.grpc_server.call import Call, Method
from ext_proc.grpc_server.http2.header_blocks import Headers
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.grpc_server.tasks import Tasks

Answer = Callable[[bytes, Headers], Coroutine[None, None, bytes]]


class UnaryCall:
    """One unary call."""

    def __init__(self, call: Call, answer: Answer, tasks: Tasks) -> None:
        self._call = call
        self._answer = answer
        self._tasks = tasks
        self._task: asyncio.Task[None] | None = None

    def receive(self, message: bytes) -> None:
        """Answer the first message."""
        if self._task is None:
            self._task = self._tasks.start(self._call, self._serve(message))

    def end(self) -> None:
        """Reject a call without a message."""
        if self._task is None:
            raise Abort(Status.INVALID_ARGUMENT, "no message")

    def cancel(self) -> None:
        """Cancel the coroutine."""
        if self._task is not None:
            self._task.cancel()

    def resume(self) -> None:
        """Nothing to resume: the answer is the last data."""

    async def _serve(self, message: bytes) -> None:
        self._call.answer(await self._answer(message, self._call.metadata))


def unary(answer: Answer, tasks: Tasks) -> Method:
    """Make a method of a coroutine function that takes a message and metadata, and returns the answer."""
    return lambda call: UnaryCall(call, answer, tasks)
