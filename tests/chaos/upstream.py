"""An instance of an agent or a provider: tells the truth in every API, unless its weather says otherwise."""

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson

from tests.chaos.faults import OF_STREAMS, STATUSES, Fault, Weather
from tests.chaos.truth import number_in, rest_of
from tests.kit.folding import fold
from tests.kit.llm_provider import api_of
from tests.kit.llm_streams import STREAMS
from tests.kit.llm_streams import Answer as Said
from tests.kit.stub_upstream import Answer, Received, Written

SILENCE_SECONDS = 40
"""Longer than any client waits, so that silence ends only if the gateway ends it."""
_PAUSE_SECONDS = 0.02
"""At most, between pieces: some reach the client before the next one comes, or does not."""
_STREAM_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_MODEL = re.compile(rb'"model":"[^"]*"')
_CORRUPT_EVENT = b'data: {"choices":[{"index":0,"del\n\n'


def _given(asked: dict[str, Any]) -> str:
    """Return the beginning of an answer that is to be gone on with: a last message of the assistant."""
    last = (asked.get("messages") or [{}])[-1]
    if last.get("role") != "assistant":
        return ""
    content = last["content"]
    return content if isinstance(content, str) else "".join(block["text"] for block in content)


@dataclass(slots=True)
class Instance:
    """Behaves; tells which fault it gave to which request."""

    weather: Weather
    met: Callable[[int, Fault], None]

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        asked = orjson.loads(request.body)
        number = number_in(orjson.dumps(asked).decode())
        streamed = bool(asked.get("stream"))
        fault = self.weather.next()
        if fault in OF_STREAMS and not streamed:
            fault = Fault.CUT
        if fault is not Fault.NONE:
            self.met(number, fault)
        if fault in STATUSES:
            return self._refusal(STATUSES[fault])
        words = rest_of(number, _given(asked))
        said = Said(thoughts=[], signature="", texts=words, calls=[], cut=0, finish="stop", usage=(7, 0, 0, 3, 0))
        stream = _MODEL.sub(b'"model":"%s"' % asked["model"].encode(), STREAMS[api_of(request)](said))
        pieces = self._streamed(stream, fault) if streamed else self._whole(orjson.dumps(fold(api_of(request), stream)))
        return await self._send(pieces, fault, writer)

    def _refusal(self, status: int) -> Answer:
        """Refuse in a shape that is right in every API."""
        error = {"type": "api_error", "message": "The upstream says no.", "param": None, "code": None}
        wait = {"retry-after": "60"} if self.weather.random.random() < 0.2 else {}
        return Answer(status, orjson.dumps({"type": "error", "error": error}), wait)

    def _streamed(self, stream: bytes, fault: Fault) -> list[bytes]:
        """Return the pieces of a response: its head, chunks that do not care where events end, the last chunk."""
        random = self.weather.random
        if fault is Fault.CORRUPT:
            at = random.choice([found for found in range(len(stream)) if stream.startswith(b"\n\n", found)]) + 2
            stream = stream[:at] + _CORRUPT_EVENT + stream[at:]
        if fault is Fault.SHORT:
            # Not in the terminal events: without the last of them, an answer is complete all the same.
            stream = stream[: random.randrange(stream.rindex(b"-"))]
        edges = sorted({0, len(stream), *(random.randrange(len(stream) + 1) for _ in range(6))})
        parts = [stream[start:end] for start, end in pairwise(edges)]
        return [_STREAM_HEAD, *(b"%x\r\n%s\r\n" % (len(part), part) for part in parts), b"0\r\n\r\n"]

    def _whole(self, body: bytes) -> list[bytes]:
        answer = Answer(body=body).encode()
        middle = self.weather.random.randrange(len(answer) - len(body), len(answer))
        return [answer[: -len(body)], answer[-len(body) : middle], answer[middle:]]

    async def _send(self, pieces: list[bytes], fault: Fault, writer: asyncio.StreamWriter) -> Answer | None:
        """Write the pieces, or some; end the connection if something happened to it."""
        match fault:
            case Fault.RESET | Fault.SILENT:
                pieces = []
            case Fault.GARBAGE:
                pieces = [b"\x00\x01 this is no HTTP\r\n\r\n"]
            case Fault.STALL | Fault.CUT:
                pieces = pieces[: self.weather.random.randrange(1, len(pieces))]
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(self.weather.random.uniform(0, _PAUSE_SECONDS))
        if fault in (Fault.SILENT, Fault.STALL):
            await asyncio.sleep(SILENCE_SECONDS)
        return Written() if fault in (Fault.NONE, Fault.SHORT, Fault.CORRUPT) else None
