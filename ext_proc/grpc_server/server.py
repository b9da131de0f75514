"""Listens, accepts connections, and drains them."""

import asyncio
import os
from collections.abc import Mapping
from typing import Final

from ext_proc.grpc_server.call import Method
from ext_proc.grpc_server.messages import MessageLimit
from ext_proc.grpc_server.protocol import GrpcProtocol
from ext_proc.grpc_server.tasks import Tasks

_BACKLOG: Final = 512
_UNIX: Final = "unix:"


class GrpcServer:
    """Serves methods, by their paths, on one address."""

    def __init__(self, methods: Mapping[str, Method], tasks: Tasks) -> None:
        self.limit = MessageLimit()
        self._methods = methods
        self._tasks = tasks
        """Tasks of the methods."""
        self._connections: set[GrpcProtocol] = set()
        self._gone = asyncio.Event()
        """Set whenever the last connection is gone."""
        self._listening: asyncio.Server | None = None
        self._socket: tuple[str, int] | None = None
        """Path and inode of a Unix socket that is ours."""

    async def start(self, address: str) -> int:
        """Listen at `host:port`, `unix:path` or `unix:///path`; return the port, 0 if there is none.

        Raises:
            OSError: the address cannot be had.
        """
        loop = asyncio.get_running_loop()
        if address.startswith(_UNIX):
            path = address.removeprefix(_UNIX).replace("///", "/", 1)
            # A socket that a worker left behind when it was killed is taken away by asyncio.
            self._listening = await loop.create_unix_server(self._connect, path, backlog=_BACKLOG)
            self._socket = path, os.stat(path).st_ino
            return 0
        host, _, port = address.rpartition(":")
        self._listening = await loop.create_server(self._connect, host.strip("[]"), int(port), backlog=_BACKLOG)
        bound: int = self._listening.sockets[0].getsockname()[1]
        return bound

    async def drain(self, grace_seconds: float) -> None:
        """Take nothing new, let what is under way finish, and give up what has not within the time given."""
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
        connection = GrpcProtocol(self._methods, self._forget, self.limit)
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
        """Remove the socket's name, unless a successor listens there already."""
        if self._socket is None:
            return
        path, inode = self._socket
        try:
            if os.stat(path).st_ino == inode:
                os.unlink(path)
        except FileNotFoundError:
            return
