"""Serves an ASGI application on a real socket, in the test's own event loop."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import uvicorn


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready.set()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Signals belong to pytest.
        yield


@asynccontextmanager
async def serve(app: Callable[..., Awaitable[Any]]) -> AsyncIterator[str]:
    """Serve `app` and yield its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(app, log_level="critical", access_log=False, ws="none", timeout_graceful_shutdown=1)
        server = _Server(config)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(server.serve(sockets=[listening]))
            try:
                async with asyncio.timeout(10):
                    await server.ready.wait()
                host, port = listening.getsockname()
                yield f"http://{host}:{port}"
            finally:
                server.should_exit = True
