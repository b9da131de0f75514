"""Plays a provider of any API: what it says is one Answer, whole or as a stream; or it fails as it is told to."""

import asyncio
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from ext_proc.apis.registry import spec_of
from tests.kit.folding import fold
from tests.kit.llm_streams import UPSTREAM_STREAMS
from tests.kit.llm_streams import Answer as Said
from tests.kit.loopback import read_by_peer
from tests.kit.stub_upstream import Answer, Behave, Received

_PACE_SECONDS = 0.05
"""Of what a provider says over and over."""

APIS = {
    "completions": "chat_completions",
    "messages": "messages",
    "responses": "responses",
    "converse": "converse",
    "converse-stream": "converse",
}
"""By the last part of a path."""
HELLO = Said(thoughts=[], signature="", texts=["It ", "rains."], calls=[], cut=0, finish="stop", usage=(7, 0, 0, 3, 0))
WEATHER = replace(HELLO, texts=[], calls=[("get_weather", {"city": "Paris", "days": [1, 2]})], cut=5, finish="tool_calls")
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: %s\r\ntransfer-encoding: chunked\r\n\r\n"


def api_of(request: Received) -> str:
    """Return the API that a request is meant for."""
    return APIS[request.path.partition("?")[0].rpartition("/")[2]]


def wants_stream(request: Received, asked: Any) -> bool:
    """Tell if a request asks for a stream: by its body, or, of Converse, by its path."""
    return bool(asked.get("stream")) or request.path.endswith("/converse-stream")


@dataclass(slots=True)
class Provider:
    """Says HELLO, or WEATHER where it is offered tools, unless told to do otherwise."""

    behaves: Behave | None = None
    received: list[Received] = field(default_factory=list)

    @property
    def last_json(self) -> Any:
        return orjson.loads(self.received[-1].body)

    def reset(self) -> None:
        self.behaves = None
        self.received.clear()

    async def __call__(self, request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        self.received.append(request)
        if self.behaves is not None:
            return await self.behaves(request, writer)
        asked = orjson.loads(request.body)
        api = api_of(request)
        stream = UPSTREAM_STREAMS[api](WEATHER if asked.get("tools") or asked.get("toolConfig") else HELLO)
        if not wants_stream(request, asked):
            return Answer(body=orjson.dumps(fold(api, stream)))
        await streaming(stream, content_type=spec_of(api).stream_type.encode())(request, writer)
        return None


def failing(status: int, error: dict[str, Any], **headers: str) -> Behave:
    """Answer with an error."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}

    async def behave(_request: Received, _writer: asyncio.StreamWriter) -> Answer:
        return Answer(status, orjson.dumps(error), named)

    return behave


def streaming(data: bytes, *, ends: bool = True, content_type: bytes = b"text/event-stream") -> Behave:
    """Stream some bytes, in pieces of 40; then end, or fall silent."""

    async def behave(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(_HEAD % content_type)
        for start in range(0, len(data), 40):
            piece = data[start : start + 40]
            writer.write(b"%x\r\n%s\r\n" % (len(piece), piece))
            await writer.drain()
        if not ends:
            await asyncio.Event().wait()
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    return behave


def cutting(data: bytes, *, silent: bool = False, content_type: bytes = b"application/json", then: bytes = b"") -> Behave:
    """Send the beginning of an answer; then cut the connection, say no more, or say `then` over and over."""

    async def behave(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write((_HEAD % content_type) + b"%x\r\n%s\r\n" % (len(data), data))
        await writer.drain()
        while then:
            writer.write(b"%x\r\n%s\r\n" % (len(then), then))
            await writer.drain()
            await asyncio.sleep(_PACE_SECONDS)
        if silent:
            await asyncio.Event().wait()
        # What was written has arrived before the connection breaks, and been passed on: Envoy asks ext_proc about it meanwhile.
        await read_by_peer(writer)
        await asyncio.sleep(_PACE_SECONDS)
        writer.transport.abort()

    return behave
