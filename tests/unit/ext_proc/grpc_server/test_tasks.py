"""Tasks of handlers: also one that is cancelled before it began leaves nothing behind."""

import asyncio
import inspect
from typing import Any, cast

from ext_proc.grpc_server.tasks import Tasks


async def test_work_that_is_cancelled_before_it_began_is_closed() -> None:
    tasks = Tasks()
    work = asyncio.sleep(0)
    task = tasks.start(cast("Any", None), work)
    task.cancel()
    await tasks.finish()
    assert inspect.getcoroutinestate(work) == inspect.CORO_CLOSED
