"""Listens, accepts connections, and drains them."""

import asyncio
import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

from ext_proc.grpc_server.call import Method
from ext_proc.grpc_server.exchange import Exchanges
from ext_proc.grpc_server.messages import MessageLimit
from ext_proc.grpc_server.protocol import GrpcProtocol
from ext_proc.grpc_server.tasks import Tasks

_BACKLOG: Final = 512
_UNIX: Final = "unix:"
_LOOK_SECONDS: Final = 0.02
"""Between looks for a successor; only a process whose master is gone looks."""


class GrpcServer:
    """Serves methods, by their paths, on one address."""

    def __init__(self, methods: Mapping[str, Method], tasks: Tasks, exchanges: Exchanges = lambda _: None) -> None:
        self.limit = MessageLimit()
        self._methods = methods
        self._exchanges = exchanges
        self._tasks = tasks
        """Tasks of the methods."""
        self._connections: set[GrpcProtocol] = set()
        self._gone = asyncio.Event()
        """Set whenever the last connection is gone."""
        self._listening: asyncio.Server | None = None
        self._socket: tuple[str, int] | None = None
        """Path and inode of a Unix socket that is ours."""

    @property
    def is_listening(self) -> bool:
        """Whether it was started."""
        return self._listening is not None

    def has_predecessor(self, address: str) -> bool:
        """Whether there is a Unix socket already where `start` will listen."""
        return address.startswith(_UNIX) and os.path.exists(_socket_path(address))

    async def succeeded(self) -> None:
        """Wait until its Unix socket is another process's, or gone. At once where there is none."""
        while self._socket is not None and self._is_ours(*self._socket):  # noqa: ASYNC110 another process sets no events of ours
            await asyncio.sleep(_LOOK_SECONDS)

    async def start(self, address: str) -> int:
        """Listen at `host:port`, `unix:path` or `unix:///path`; return the port, 0 if there is none.

        A Unix socket is taken over from its current owner: new connections arrive here, and open ones stay there.

        Raises:
            OSError: the address is not available.
        """
        loop = asyncio.get_running_loop()
        if address.startswith(_UNIX):
            path = _socket_path(address)
            self._listening = await loop.create_unix_server(self._connect, sock=_take_over(path))
            self._socket = path, os.stat(path).st_ino
            return 0
        host, _, port = address.rpartition(":")
        self._listening = await loop.create_server(self._connect, host.strip("[]"), int(port), backlog=_BACKLOG)
        bound: int = self._listening.sockets[0].getsockname()[1]
        return bound

    async def drain(self, grace_seconds: float) -> None:
        """Accept no new calls, let active ones finish, and cancel the rest after the given time."""
        if self._listening is not None:
            self._listening.close()
            self._remove_socket()
        for connection in tuple(self._connections):
            connection.drain()
        try:
            async with asyncio.timeout(grace_seconds):
                await self._until_gone()
        except TimeoutError:
            for connection in tuple(self._connections):
                connection.close()
            await self._until_gone()
            await self._tasks.finish()

    def _connect(self) -> GrpcProtocol:
        connection = GrpcProtocol(self._methods, self._exchanges, self._forget, self.limit, self._tasks)
        self._connections.add(connection)
        return connection

    def _forget(self, connection: GrpcProtocol) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._gone.set()

    async def _until_gone(self) -> None:
        while self._connections:
            self._gone.clear()
            await self._gone.wait()

    def _remove_socket(self) -> None:
        """Remove the socket, unless a successor listens there already."""
        if self._socket is None:
            return
        if self._is_ours(*self._socket):
            os.unlink(self._socket[0])

    def _is_ours(self, path: str, inode: int) -> bool:
        try:
            return os.stat(path).st_ino == inode
        except FileNotFoundError:
            return False


def _socket_path(address: str) -> str:
    return address.removeprefix(_UNIX).replace("///", "/", 1)


def _take_over(path: str) -> socket.socket:
    """Listen at a path that another process may still own, so that there is always a listener."""
    draft = f"{path}.new"
    with suppress(FileNotFoundError):
        os.unlink(draft)
    listening = socket.socket(socket.AF_UNIX)
    try:
        listening.bind(draft)
        listening.listen(_BACKLOG)
        os.replace(draft, path)
    except OSError:
        listening.close()
        raise
    return listening
