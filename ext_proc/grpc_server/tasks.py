"""Tasks of handlers: referenced, so that none is garbage collected; their exceptions end their calls."""

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Protocol


class Served(Protocol):
    """What a task serves."""

    def finish(self) -> None:
        """End it well."""
        ...

    def fail(self, error: Exception) -> None:
        """End it for what its handler has raised."""
        ...


class Tasks:
    """Tasks of one server."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()

    def start(self, call: Served, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run the coroutine of a call; its return ends the call, as does Abort."""
        task = asyncio.get_running_loop().create_task(self._serve(call, work))
        self._running.add(task)
        task.add_done_callback(partial(self._forget, work))
        return task

    def _forget(self, work: Coroutine[None, None, None], task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        work.close()  # A task that is cancelled before its first step never starts its coroutine.

    async def finish(self) -> None:
        """Wait until all have ended, including cancelled ones."""
        if self._running:
            await asyncio.wait(self._running)

    async def _serve(self, call: Served, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Exception as error:  # noqa: BLE001 - reported; a bug in one call must not affect others
            call.fail(error)
        else:
            call.finish()
