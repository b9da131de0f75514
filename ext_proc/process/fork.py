"""Workers are forks of the master, which has imported all that they need: they start at once and share most of its memory.

What a fork does not survive stays out of the master: it uses no gRPC, and its threads hold nothing that a worker needs.
"""

import asyncio
import gc
import os
import signal
from collections.abc import Callable, Collection
from typing import Final

from process_log import get_logger

_MOST_FILES: Final = 1 << 20


class Fork:
    """A running fork, as its parent sees it."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._has_ended = False

    def terminate(self) -> None:
        """Ask it to end."""
        self._send(signal.SIGTERM)

    def kill(self) -> None:
        """End it now."""
        self._send(signal.SIGKILL)

    async def wait(self) -> int:
        """Wait for its end; return its exit code, or minus the signal that ended it. Only once, and not to be cancelled."""
        if hasattr(os, "pidfd_open"):
            await _readable(os.pidfd_open(self.pid))
            _, status = os.waitpid(self.pid, 0)  # noqa: ASYNC222 it has ended
        else:
            _, status = await asyncio.to_thread(os.waitpid, self.pid, 0)
        self._has_ended = True
        return os.waitstatus_to_exitcode(status)

    def _send(self, number: signal.Signals) -> None:
        if not self._has_ended:  # from then on another process may get its pid
            os.kill(self.pid, number)


def keep_shared() -> None:
    """Keep what there is by now out of the sight of the garbage collector, which would copy its pages into every fork."""
    gc.collect()
    gc.freeze()


def fork(run: Callable[[], None], *, alive: int, kept: Collection[int] = ()) -> Fork:
    """Run a function in a fork, which ends with it.

    `alive` becomes its standard input: the read end of a pipe whose other end only the parent has. Of the parent's other files
    it has those of `kept` alone, and standard output and error.
    """
    pid = os.fork()
    if pid:
        return Fork(pid)
    code = 1
    try:
        _leave_parent(alive, kept)
        run()
        code = 0
    except BaseException as error:  # noqa: BLE001 the stack below is the parent's: nothing may get there
        get_logger().exception("worker_failed", error=error)
    finally:
        os._exit(code)


def _leave_parent(alive: int, kept: Collection[int]) -> None:
    """Let go of the parent's event loop, signal handlers and files. Its objects stay, unused, until the end."""
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    asyncio._set_running_loop(None)
    os.dup2(alive, 0)
    first = 3
    for file in (*sorted(kept), _MOST_FILES):
        os.closerange(first, file)
        first = file + 1


async def _readable(handle: int) -> None:
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(handle, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(handle)
        os.close(handle)
