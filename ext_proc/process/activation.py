"""Socket activation: the master holds a process's socket, and starts the process at the first connection."""

import asyncio
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_BACKLOG: Final = 128
_UNIX: Final = "unix://"


@contextmanager
def listening(address: str) -> Iterator[socket.socket]:
    """Listen on `unix:///path`, which is removed at the end, or on `host:port`."""
    if address.startswith(_UNIX):
        path = Path(address.removeprefix(_UNIX))
        path.unlink(missing_ok=True)
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
            bound.listen(_BACKLOG)
            yield bound
        path.unlink(missing_ok=True)
        return
    host, _, port = address.rpartition(":")
    with socket.create_server((host.strip("[]"), int(port)), backlog=_BACKLOG) as bound:
        yield bound


async def connection(listener: socket.socket) -> None:
    """Wait for a connection, which the started process accepts."""
    loop, called = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(listener, called.set)
    try:
        await called.wait()
    finally:
        loop.remove_reader(listener)
