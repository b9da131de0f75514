"""A service that plays what a test tells it: an agent, a filter, a provider. Remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.kit.stub_upstream import Answer, Behave, Received, serving

STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


async def silence(_request: Received, _writer: asyncio.StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def cut(_request: Received, _writer: asyncio.StreamWriter) -> None:
    """Close the connection without an answer."""


@dataclass(slots=True)
class Actor:
    """Gives its usual answer unless told otherwise."""

    usual: Answer
    port: int = 0
    received: list[Received] = field(default_factory=list)
    _behave: Behave | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def last(self) -> Received:
        """The newest request."""
        return self.received[-1]

    @property
    def last_json(self) -> Any:
        """The body of the newest request."""
        return json.loads(self.last.body)

    def plays(self, *parts: Answer | Behave) -> None:
        """Play one part per request, the last one for all further ones."""
        waiting = list(parts)

        async def behave(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
            part = waiting.pop(0) if len(waiting) > 1 else waiting[0]
            return part if isinstance(part, Answer) else await part(request, writer)

        self._behave = behave

    def reset(self) -> None:
        """Forget the last test."""
        self._behave = None
        self.received.clear()

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        """Answer a request."""
        self.received.append(request)
        if self._behave is not None:
            return await self._behave(request, writer)
        return self.usual


@asynccontextmanager
async def acting(usual: Answer) -> AsyncIterator[Actor]:
    """Serve an actor."""
    actor = Actor(usual)
    async with serving(actor) as upstream:
        actor.port = upstream.port
        yield actor


@dataclass(slots=True)
class Stream:
    """An event stream whose chunks the test lets out one by one."""

    _chunks: asyncio.Queue[bytes] = field(default_factory=asyncio.Queue)

    def send(self, data: str) -> None:
        """Let an event out; an empty one ends the stream."""
        self._chunks.put_nowait(f"data: {data}\n\n".encode() if data else b"")

    async def __call__(self, _request: Received, writer: asyncio.StreamWriter) -> None:
        """Stream until the end."""
        writer.write(STREAM_HEAD)
        while True:
            chunk = await self._chunks.get()
            writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
            await writer.drain()
            if not chunk:
                return
