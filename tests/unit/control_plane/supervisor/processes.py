"""Small real processes for tests of the supervisor, and a doorbell that tells when they run and when they are gone."""

import asyncio
import select
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from control_plane.supervisor.child import Backoff, Child, ChildSpec, Death

QUICK = Backoff(first_seconds=0.01, cap_seconds=0.02)
WAITS = "import signal; signal.pause()"


def python(code: str, *, name: str = "child", log: Path, grace_seconds: float = 5.0) -> ChildSpec:
    return ChildSpec(name=name, argv=(sys.executable, "-S", "-c", code), log=log, grace_seconds=grace_seconds)


class Watched:
    """A child, with what happens to it."""

    def __init__(self, spec: ChildSpec, backoff: Backoff = QUICK) -> None:
        self.starts: asyncio.Queue[int | None] = asyncio.Queue()
        self.deaths: asyncio.Queue[Death] = asyncio.Queue()
        self.child = Child(spec, backoff=backoff, on_start=self._started, on_death=self.deaths.put_nowait)

    def _started(self) -> None:
        self.starts.put_nowait(self.child.view.pid)


class Doorbell:
    """Processes ring it when they are ready, and hold the line as long as they live."""

    def __init__(self) -> None:
        self.lines: asyncio.Queue[asyncio.StreamReader] = asyncio.Queue()
        self.port = 0

    @property
    def ring(self) -> str:
        """Python statements that ring."""
        return f"import socket; line = socket.create_connection(('127.0.0.1', {self.port}))\n"

    async def rung(self) -> asyncio.StreamReader:
        return await self.lines.get()


@asynccontextmanager
async def doorbell() -> AsyncIterator[Doorbell]:
    bell = Doorbell()
    writers: list[asyncio.StreamWriter] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        bell.lines.put_nowait(reader)

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    bell.port = server.sockets[0].getsockname()[1]
    try:
        yield bell
    finally:
        for writer in writers:
            writer.close()
        server.close()
        await server.wait_closed()


async def hung_up(line: asyncio.StreamReader) -> None:
    """Wait until the process at the other end is gone."""
    try:
        assert await line.read() == b""
    except ConnectionResetError:
        return


async def blink() -> None:
    """Let a moment pass before asking again what another process did; the caller bounds how often."""
    await asyncio.to_thread(select.select, [], [], [], 0.01)
