"""Decodes streams of server-sent events: bytes in any chunks -> events as JSON."""

from collections.abc import Iterable, Iterator
from typing import Final, Protocol

import orjson

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import broken_off, read_error
from ext_proc.codec.json_body import JsonObject, is_too_deep, load_json
from ext_proc.codec.sse import SseDecoder, SseEvent
from ext_proc.errors import MalformedBody

CHAT_DONE: Final[JsonObject] = {"object": "[DONE]"}
"""Represents chat's `data: [DONE]`."""
PING: Final[JsonObject] = {"type": "ping"}
"""Represents keep-alives."""

StreamEvent = JsonObject | ProviderError | MalformedBody
"""An event, an error of the provider, or neither."""


class Reader(Protocol):
    """Reads one stream."""

    def feed(self, chunk: bytes) -> Iterable[StreamEvent]:
        """Return the events that `chunk` completes.

        Raises:
            UpstreamError: the following bytes are unreadable, or an event exceeds the limit.
        """
        ...

    def finish(self) -> Iterable[StreamEvent]:
        """Return the event that the end of the stream completes, if there is one."""
        ...


class SseReader:
    """Reads server-sent events."""

    def __init__(self) -> None:
        self._decoder = SseDecoder()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """See Reader."""
        return map(_of_sse, self._decoder.feed(chunk))

    def finish(self) -> Iterator[StreamEvent]:
        """See Reader."""
        return map(_of_sse, self._decoder.finish())


def failure_in(event: JsonObject) -> ProviderError | None:
    """Return the error in an event of a stream, or in a whole answer; None if there is none.

    Chunks of Chat Completions have no type and no error, but their finish reason may report a failure.
    """
    if "type" in event:
        return read_error(event) if event["type"] == "error" else None
    return read_error(event) if event.get("error") else broken_off(event.get("choices"))


def _of_sse(event: SseEvent) -> StreamEvent:
    if not event.data:  # An empty `data` line is a keep-alive, like a comment.
        return PING
    if event.data == b"[DONE]":
        return CHAT_DONE
    parsed = parse_event(event.data)
    if isinstance(parsed, MalformedBody):
        return parsed
    kind = parsed.get("type") or event.event
    if kind == "ping":
        return PING
    return read_error(parsed) if kind == "error" else failure_in(parsed) or parsed


def parse_event(data: bytes) -> JsonObject | MalformedBody:
    """Parse the JSON of one event."""
    try:
        parsed = load_json(data)
    except orjson.JSONDecodeError as error:
        return MalformedBody("not JSON", detail=str(error))
    if not isinstance(parsed, dict):
        return MalformedBody("not a JSON object")
    return MalformedBody("nested too deep") if is_too_deep(data, parsed) else parsed
