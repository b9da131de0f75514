"""An upstream that does what the request's header says: large or slow answers, cut or refused, or it leaves in mid-request."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Final

import orjson

DO_HEADER: Final = "x-do"
_CHAT: Final = (
    b'{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[{"index":0,"message":'
    b'{"role":"assistant","content":"%s"},"finish_reason":"stop"}]}'
)
_CHUNK: Final = b'data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":'
_EVENT: Final = _CHUNK + b'{"content":"%s"},"finish_reason":null}]}\n\n'
_LAST: Final = _CHUNK + b'{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What an upstream does."""

    size: int = 10
    """Bytes of the answer's text."""
    chunk: int = 1 << 16
    """Bytes that are written at a time."""
    has_length: bool = True
    """Whether a whole answer says how long it is."""
    cut: float = 2.0
    """The part of the answer after which the connection breaks; from 1 on it does not."""
    leaves_after: float | None = None
    """Seconds after which it leaves while the request is still coming."""
    status: int = 200
    pause: float = 0.0
    """Seconds between chunks."""
    reads_slowly: bool = False


@asynccontextmanager
async def fickle_upstream() -> AsyncIterator[int]:
    """Serve on a free port, which is yielded."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError, asyncio.IncompleteReadError):
        while await _answer(reader, writer):
            pass
    writer.transport.abort()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
    """Answer one request; whether the connection stays."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode(errors="replace").lower()
    headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if ": " in line)
    plan = Plan(**orjson.loads(headers.get(DO_HEADER, "{}")))
    if plan.leaves_after is not None:
        await asyncio.sleep(plan.leaves_after)
        return False
    is_stream = await _read(reader, int(headers.get("content-length", "0")), slowly=plan.reads_slowly)
    if plan.status != 200:
        writer.write(b"HTTP/1.1 %d No\r\ncontent-length: 2\r\n\r\n{}" % plan.status)
        return True
    return await _write(writer, plan, is_stream=is_stream)


async def _read(reader: asyncio.StreamReader, length: int, *, slowly: bool) -> bool:
    """Read a body; whether it asks for a stream."""
    kept = b""
    while length > 0:
        data = await reader.read(min(length, _READ_BYTES))
        if not data:
            raise asyncio.IncompleteReadError(b"", length)
        length -= len(data)
        kept = (kept + data)[-4096:]
        await asyncio.sleep(0.02 if slowly else 0)
    return b'"stream":true' in kept


async def _write(writer: asyncio.StreamWriter, plan: Plan, *, is_stream: bool) -> bool:
    chunks, sent = [*_chunks(plan, is_stream=is_stream)], 0
    size = sum(map(len, chunks))
    has_length = plan.has_length and not is_stream
    kind = b"text/event-stream" if is_stream else b"application/json"
    framing = b"content-length: %d" % size if has_length else b"transfer-encoding: chunked"
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\n%s\r\n\r\n" % (kind, framing))
    for chunk in chunks:
        if sent >= plan.cut * size:
            return False
        writer.write(chunk if has_length else b"%x\r\n%s\r\n" % (len(chunk), chunk))
        sent += len(chunk)
        await writer.drain()
        await asyncio.sleep(plan.pause)
    if not has_length:
        writer.write(b"0\r\n\r\n")
    return True


def _chunks(plan: Plan, *, is_stream: bool) -> Iterator[bytes]:
    if is_stream:
        for start in range(0, max(plan.size, 1), plan.chunk):
            yield _EVENT % (b"x" * min(plan.chunk, plan.size - start))
        yield _LAST
        return
    whole = _CHAT % (b"x" * plan.size)
    yield from (whole[start : start + plan.chunk] for start in range(0, len(whole), plan.chunk))
