"""An HTTP/1.1 upstream of a few lines, for what a framework will not do: cut a connection, stall, send half an answer."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Received:
    """One request as it came in."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole response."""

    status: int = 200
    body: bytes = b"{}"
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        head = {"content-type": "application/json", "content-length": str(len(self.body))} | self.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in head.items())
        return f"HTTP/1.1 {self.status} X\r\n{lines}\r\n".encode() + self.body


@dataclass(frozen=True, slots=True)
class Written(Answer):
    """Stands for a whole response that the behaviour has written itself: the connection stays open."""

    def encode(self) -> bytes:
        return b""


Behave = Callable[[Received, asyncio.StreamWriter], Awaitable["Answer | None"]]
"""Returns the answer; or writes what it likes and returns None, after which the connection is cut."""


@dataclass(slots=True)
class Upstream:
    """A running stub."""

    port: int = 0
    received: list[Received] = field(default_factory=list)


@asynccontextmanager
async def serving(
    behave: Behave, host: str = "127.0.0.1", *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[Upstream]:
    """Serve one behaviour on a port of its own, or on one that was its own before."""
    upstream = Upstream()
    connections: set[asyncio.Task[None]] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        connections.add(task)
        try:
            while (request := await _read(reader)) is not None:
                upstream.received.append(request)
                answer = await behave(request, writer)
                if answer is None:
                    break
                writer.write(answer.encode())
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # the other end left, or the test did
        finally:
            connections.discard(task)
            writer.transport.abort()

    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    server = await asyncio.start_server(connected, host, port, family=family, ssl=tls)
    upstream.port = server.sockets[0].getsockname()[1]
    async with server:
        yield upstream
        pending = tuple(connections)
        for connection in pending:
            connection.cancel()
        await asyncio.gather(*pending, return_exceptions=True)


def always(answer: Answer) -> Behave:
    """Answer every request alike."""

    async def behave(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
        return answer

    return behave


async def _read(reader: asyncio.StreamReader) -> Received | None:
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="surrogateescape")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines) if name}
    return Received(method, path, headers, await _read_body(reader, headers))


async def _read_body(reader: asyncio.StreamReader, headers: dict[str, str]) -> bytes:
    if "chunked" not in headers.get("transfer-encoding", ""):
        return await reader.readexactly(int(headers.get("content-length", 0)))
    body = b""
    while size := int(await reader.readuntil(b"\r\n"), 16):
        body += (await reader.readexactly(size + 2))[:-2]
    await reader.readexactly(2)
    return body
