"""The tasks of handlers that wait for something. Kept, so that none is collected; their failures end their calls and are told."""

import asyncio
from collections.abc import Coroutine

from ext_proc.grpc_server.call import Call
from ext_proc.grpc_server.status import Abort, Status
from ext_proc.telemetry.logging import get_logger


class Tasks:
    """Of one server."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[None]] = set()
        self._log = get_logger()

    def __len__(self) -> int:
        return len(self._running)

    def start(self, call: Call, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        """Run what serves a call; its return ends the call, as does Abort."""
        task = asyncio.get_running_loop().create_task(self._serve(call, work))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return task

    async def _serve(self, call: Call, work: Coroutine[None, None, None]) -> None:
        try:
            await work
        except Abort as abort:
            call.finish(abort.status, abort.text)
        except Exception as error:  # noqa: BLE001 - a bug in one call must not take the others along
            self._log.exception("call_failed", error=error)
            call.finish(Status.UNKNOWN, "the handler failed")
        else:
            call.finish()
