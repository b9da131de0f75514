"""A closed-loop HTTP/1.1 load generator: each connection sends the same bytes again as soon as its answer is complete.

Runs as its own process (`python -m benchmarks.load PORT CONNECTIONS REQUESTS < request-bytes`) and prints one JSON line, so
that what it costs is not mixed with the one who asks.
"""

import asyncio
import json
import sys
import time
from typing import cast

import uvloop


class Connection(asyncio.Protocol):
    """One keep-alive connection with one request in flight."""

    def __init__(self, run: "Run") -> None:
        self._run = run
        self._received = bytearray()
        self._sent_at = 0.0
        self._transport: asyncio.WriteTransport | None = None
        self._is_done = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.WriteTransport", transport)
        self._send()

    def data_received(self, data: bytes) -> None:
        """Collect one answer, then send the next request."""
        self._received += data
        head, separator, body = self._received.partition(b"\r\n\r\n")
        if not separator:
            return
        if not _is_complete(bytes(head), bytes(body)):
            return
        self._run.finished(is_ok=head[9:12] == b"200", seconds=time.perf_counter() - self._sent_at)
        self._received.clear()
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Count a connection that the server closed in mid-request as a failed one, and go on with a new connection."""
        del exc
        if not self._is_done:
            self._run.finished(is_ok=False, seconds=time.perf_counter() - self._sent_at)
            self._run.reconnect()

    def _send(self) -> None:
        assert self._transport is not None
        if self._run.take():
            self._sent_at = time.perf_counter()
            self._transport.write(self._run.request)
        else:
            self._is_done = True
            self._transport.close()


def _is_complete(head: bytes, body: bytes) -> bool:
    marker = head.lower().find(b"content-length:")
    if marker < 0:
        return body.endswith(b"0\r\n\r\n")
    return len(body) >= int(head[marker + 15 :].split(b"\r\n", 1)[0])


class Run:
    """What all connections share: how many requests are left, and what was measured."""

    def __init__(self, port: int, request: bytes, requests: int) -> None:
        self.request = request
        self._port = port
        self._connecting: set[asyncio.Task[None]] = set()
        self._left = requests
        self._open = requests
        self._seconds: list[float] = []
        self._errors = 0
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def take(self) -> bool:
        """Take one request to send; False when none is left."""
        self._left -= 1
        return self._left >= 0

    def finished(self, *, is_ok: bool, seconds: float) -> None:
        """Record one answer."""
        self._seconds.append(seconds)
        self._errors += not is_ok
        self._open -= 1
        if self._open <= 0 and not self.over.done():
            self.over.set_result(None)

    async def connect(self) -> None:
        """Open one connection, which starts to send at once."""
        await asyncio.get_running_loop().create_connection(lambda: Connection(self), "127.0.0.1", self._port)

    def reconnect(self) -> None:
        """Replace a connection that was lost: a closed loop needs all of them."""
        task = asyncio.ensure_future(self.connect())
        self._connecting.add(task)
        task.add_done_callback(self._connected)

    def _connected(self, task: asyncio.Task[None]) -> None:
        self._connecting.discard(task)
        if task.exception() and not self.over.done():
            self.over.set_exception(task.exception() or RuntimeError())

    def summary(self, seconds: float) -> dict[str, float]:
        """Return requests per second, errors, and latency percentiles in milliseconds."""
        ordered = sorted(self._seconds)
        return {
            "requests": len(ordered),
            "errors": self._errors,
            "rps": len(ordered) / seconds,
            "p50_ms": 1000 * ordered[len(ordered) // 2],
            "p99_ms": 1000 * ordered[int(len(ordered) * 0.99)],
        }


async def generate(port: int, connections: int, requests: int, request: bytes) -> dict[str, float]:
    """Send `requests` over `connections` to loopback, and measure them."""
    run = Run(port, request, requests)
    started = time.perf_counter()
    for _ in range(connections):
        await run.connect()
    await asyncio.wait_for(run.over, 300)
    return run.summary(time.perf_counter() - started)


if __name__ == "__main__":
    port, connections, requests = (int(word) for word in sys.argv[1:4])
    print(json.dumps(uvloop.run(generate(port, connections, requests, sys.stdin.buffer.read()))))
