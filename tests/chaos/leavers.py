"""Clients that send large bodies, read slowly or not at all, and leave at any moment, by HTTP/1.1 and HTTP/2.

What one of them does is a Try, made up at random; what its upstream does travels with it as a header.
"""

import asyncio
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from random import Random
from typing import Any, Final
from urllib.parse import urlsplit

import h2.config
import h2.connection
import h2.events
import orjson
from h2.settings import SettingCodes

from tests.chaos.fickle_upstream import DO_HEADER, Plan
from tests.kit.plano_up import CHAT, MESSAGES

_LONGEST_SECONDS: Final = 12
_READ_BYTES: Final = 1 << 16
_WINDOWS: Final = (0, 1_000, 65_535, 1 << 20)

ROUTES: Final[dict[str, dict[str, Any]]] = {
    "plain": {"model": "openai/plain"},
    "chain": {"model": "openai/chained"},
    "chain, stream": {"model": "openai/chained", "stream": True},
    "translated": {"model": "openai/plain", "path": MESSAGES},
    "translated, stream": {"model": "openai/plain", "path": MESSAGES, "stream": True},
    "mixed chain": {"model": "anthropic/mixed"},
    "mixed chain, stream": {"model": "anthropic/mixed", "stream": True},
    "agent": {"listener": "agents"},
    "agent, stream": {"listener": "agents", "stream": True},
}
"""Every kind of way through the gateway."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Try:
    """What a client does."""

    route: str
    is_http2: bool
    request_bytes: int
    leaves: str
    """`uploading`, `waiting`, `answered` (in the middle of it), or not before the `end`."""
    after_seconds: float
    share: float
    """How much of the request is sent by one that leaves while it uploads."""
    pace: str
    """`fast`, `slow`, or `none` of the answer is read."""
    window: int
    """HTTP/2: how much the client takes in at first."""
    resets: bool
    """HTTP/2: the stream is reset, and the connection stays for a while."""
    upstream: Plan = field(default_factory=Plan)

    @property
    def body(self) -> bytes:
        """The request's body."""
        wanted = ROUTES[self.route]
        content = "x" * self.request_bytes
        asked = {"messages": [{"role": "user", "content": content}], "max_tokens": 5, "stream": wanted.get("stream", False)}
        return orjson.dumps(asked | {"model": wanted.get("model", "any")})

    @property
    def patience_seconds(self) -> float | None:
        """How long the client stays for the answer; None: to its end."""
        return self.after_seconds * 3 if self.leaves == "answered" or self.pace == "none" else None

    @property
    def headers(self) -> dict[str, str]:
        """The request's headers."""
        return {"content-type": "application/json", DO_HEADER: orjson.dumps(asdict(self.upstream)).decode()}

    @property
    def path(self) -> str:
        """The request's path."""
        return str(ROUTES[self.route].get("path", CHAT))

    @property
    def listener(self) -> str:
        """Name of the listener."""
        return str(ROUTES[self.route].get("listener", "models"))


def make_up(random: Random, largest: int) -> Try:
    """Make up a try whose bodies are of at most so many bytes, half of them large."""

    def size() -> int:
        return int(largest ** random.uniform(0.2, random.choice((0.5, 0.7, 1, 1))))

    upstream = Plan(
        size=size(),
        chunk=random.choice((200, 1 << 16, 1 << 20)),
        has_length=random.random() < 0.5,
        cut=random.random() if random.random() < 0.2 else 2.0,
        leaves_after=random.uniform(0, 0.8) if random.random() < 0.15 else None,
        status=random.choice((503, 429, 400)) if random.random() < 0.15 else 200,
        pause=random.uniform(0, 0.05) if random.random() < 0.2 else 0.0,
        reads_slowly=random.random() < 0.2,
    )
    return Try(
        route=random.choice([*ROUTES]),
        is_http2=random.random() < 0.5,
        request_bytes=size(),
        leaves=random.choice(("uploading", "waiting", "answered", "end")),
        after_seconds=random.uniform(0, 0.9),
        share=random.random(),
        pace=random.choice(("fast", "fast", "slow", "none")),
        window=random.choice(_WINDOWS),
        resets=random.random() < 0.5,
        upstream=upstream,
    )


async def do(one: Try, url: str) -> None:
    """Be that client; whatever becomes of the request."""
    address = urlsplit(url)
    with suppress(TimeoutError, OSError, asyncio.IncompleteReadError, h2.exceptions.ProtocolError):
        reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=_READ_BYTES)
        try:
            async with asyncio.timeout(_LONGEST_SECONDS):
                await (_Http2(one, reader, writer).run() if one.is_http2 else _by_http1(one, reader, writer))
        finally:
            writer.transport.abort()


async def _by_http1(one: Try, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    body = one.body
    lines = [f"POST {one.path} HTTP/1.1", "host: gateway", f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in one.headers.items()]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    writer.write(body[: int(len(body) * one.share)] if one.leaves == "uploading" else body)
    await writer.drain()
    if one.leaves in ("uploading", "waiting"):
        await asyncio.sleep(one.after_seconds)
        return
    async with asyncio.timeout(one.patience_seconds):
        if one.pace == "none":
            await asyncio.Event().wait()
        while await reader.read(_READ_BYTES):
            if one.pace == "slow":
                await asyncio.sleep(0.01)


class _Http2:
    """A client with one stream on one connection."""

    def __init__(self, one: Try, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._one, self._reader, self._writer = one, reader, writer
        self._connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self._unsent = one.body
        self._has_ended = False

    async def run(self) -> None:
        """Send the request and read the answer, as far as the client wants to."""
        one, connection = self._one, self._connection
        connection.initiate_connection()
        connection.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: one.window})
        head = {":method": "POST", ":scheme": "http", ":authority": "gateway", ":path": one.path, **one.headers}
        connection.send_headers(1, [*head.items()])
        if one.leaves == "uploading":
            self._unsent = self._unsent[: int(len(self._unsent) * one.share)]
        while self._unsent:
            await self._upload()
        if one.leaves not in ("uploading", "waiting"):
            connection.end_stream(1)
            await self._read_answer()
        await self._leave()

    async def _upload(self) -> None:
        connection = self._connection
        size = min(connection.local_flow_control_window(1), connection.max_outbound_frame_size, len(self._unsent))
        if size > 0:
            connection.send_data(1, self._unsent[:size])
            self._unsent = self._unsent[size:]
            await self._flush()
        else:
            await self._receive()

    async def _read_answer(self) -> None:
        one, connection = self._one, self._connection
        await self._flush()
        if one.pace != "none" and one.window == 0:
            connection.increment_flow_control_window(_READ_BYTES, 1)
        with suppress(TimeoutError):
            async with asyncio.timeout(one.patience_seconds):
                while not self._has_ended:
                    await self._receive()

    async def _receive(self) -> None:
        data = await self._reader.read(_READ_BYTES)
        self._has_ended |= not data
        for event in self._connection.receive_data(data):
            if isinstance(event, h2.events.DataReceived) and self._one.pace != "none":
                await asyncio.sleep(0.01 if self._one.pace == "slow" else 0)
                if self._connection.streams[1].open:
                    self._connection.acknowledge_received_data(event.flow_controlled_length, 1)
            self._has_ended |= isinstance(event, (h2.events.StreamEnded, h2.events.StreamReset, h2.events.ConnectionTerminated))
        if self._has_ended:
            self._unsent = b""
        await self._flush()

    async def _leave(self) -> None:
        if self._one.leaves in ("uploading", "waiting"):
            await self._flush()
            await asyncio.sleep(self._one.after_seconds)
        if self._one.resets and not self._has_ended:
            self._connection.reset_stream(1)
            await self._flush()
            await asyncio.sleep(0.1)

    async def _flush(self) -> None:
        self._writer.write(self._connection.data_to_send())
        await self._writer.drain()
