"""An upstream that answers every request by an event stream, each event in a write of its own, as models do.

`python -m benchmarks.stream_upstream PORT`. No pauses between events: what counts is how much work each of them makes.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, cast

import uvloop

from benchmarks.ports import free_port, wait_for_port

EVENTS: Final = 64
_HEAD: Final = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"


def _event(choice: dict[str, object]) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-4o", "choices": [choice]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


_WORDS: Final = [_event({"index": 0, "delta": {"content": f"word {n} "}, "finish_reason": None}) for n in range(EVENTS - 2)]
_LAST: Final = _event({"index": 0, "delta": {}, "finish_reason": "stop"})
_PIECES: Final = [_HEAD, *(_chunk(event) for event in (*_WORDS, _LAST, b"data: [DONE]\n\n")), b"0\r\n\r\n"]


class Answer(asyncio.Protocol):
    """One connection: a request is complete when as much has come as its content-length says."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport."""
        self._transport = cast("asyncio.WriteTransport", transport)

    def data_received(self, data: bytes) -> None:
        """Answer a complete request."""
        self._received += data
        head, separator, body = bytes(self._received).partition(b"\r\n\r\n")
        if separator and len(body) >= _length(head):
            self._received.clear()
            self._send(0)

    def _send(self, number: int) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        self._transport.write(_PIECES[number])
        if number + 1 < len(_PIECES):
            # In the next turn of the loop, or writes would be put together.
            asyncio.get_running_loop().call_soon(self._send, number + 1)


def _length(head: bytes) -> int:
    _, _, rest = head.lower().partition(b"content-length:")
    return int(rest.split(b"\r\n", 1)[0] or 0)


@contextmanager
def stream_upstream() -> Iterator[int]:
    """Run the upstream as a process of its own; yields its port."""
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "benchmarks.stream_upstream", str(port)])
    try:
        wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait()


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(Answer, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(_serve(int(sys.argv[1])))
