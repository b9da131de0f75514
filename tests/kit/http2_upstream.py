"""A provider that speaks HTTP/2 over TLS, chosen by ALPN as providers do: answers each request by pieces, then by trailers."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import cast

import h2.config
import h2.connection
import h2.events

from tests.kit.certificates import Authority

Pieces = Callable[[], list[bytes]]
"""Returns the body of the next answer."""
_HEAD = ((":status", "200"), ("content-type", "text/event-stream"))
_TRAILERS = (("x-reason", "gone"),)


class _Connection(asyncio.Protocol):
    def __init__(self, pieces: Pieces) -> None:
        self._pieces = pieces
        self._h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._h2.initiate_connection()
        self._flush()

    def data_received(self, data: bytes) -> None:
        for event in self._h2.receive_data(data):
            if isinstance(event, h2.events.StreamEnded) and event.stream_id is not None:
                self._answer(event.stream_id)
        self._flush()

    def _answer(self, stream_id: int) -> None:
        self._h2.send_headers(stream_id, _HEAD)
        for piece in self._pieces():
            self._h2.send_data(stream_id, piece)
        self._h2.send_headers(stream_id, _TRAILERS, end_stream=True)

    def _flush(self) -> None:
        if self._transport is not None:
            self._transport.write(self._h2.data_to_send())


@asynccontextmanager
async def http2_upstream(pieces: Pieces, files: Authority) -> AsyncIterator[int]:
    """Serve on a port of its own, which it yields."""
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files.certificate, files.key)
    tls.set_alpn_protocols(["h2"])
    server = await asyncio.get_running_loop().create_server(lambda: _Connection(pieces), "127.0.0.1", 0, ssl=tls)
    async with server:
        yield server.sockets[0].getsockname()[1]
