"""How the streams of each API lie on the wire: bytes in any chunks -> their events, as JSON.

Server-sent events for all but Converse, whose binary messages name their type in a header: an event of it is an object with
that type as its only key, `{"contentBlockDelta": {...}}`, as Amazon's own documentation writes them.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol

import orjson

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import broken_off, converse_exception, malformed_answer, read_error
from ext_proc.codec.event_stream import EventStreamDecoder, EventStreamMessage
from ext_proc.codec.json_body import JsonObject, is_too_deep, load_json
from ext_proc.codec.sse import SseDecoder, SseEvent
from ext_proc.errors import MalformedBody
from ext_proc.translate.translation import CONVERSE

CHAT_DONE: Final[JsonObject] = {"object": "[DONE]"}
"""Stands for chat's `data: [DONE]`."""
PING: Final[JsonObject] = {"type": "ping"}
"""Stands for whatever keeps a stream alive."""

StreamEvent = JsonObject | ProviderError | MalformedBody
"""An event, an error of the provider, or what is neither."""


class Reader(Protocol):
    """Reads one stream."""

    def feed(self, chunk: bytes) -> Iterable[StreamEvent]:
        """Return the events that `chunk` completes.

        Raises:
            UpstreamError: what follows them cannot be read, or is longer than anything should be.
        """
        ...

    def finish(self) -> Iterable[StreamEvent]:
        """Return the event that the end of the stream completes, if there is one."""
        ...


def reader_of(api: str) -> Reader:
    """Return a reader for one stream of an API."""
    return _READERS.get(api, SseReader)()


def stream_type(api: str) -> str:
    """Return the media type of an API's streams."""
    return "application/vnd.amazon.eventstream" if api == CONVERSE else "text/event-stream"


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


class ConverseReader:
    """Reads the event stream of Converse."""

    def __init__(self) -> None:
        self._decoder = EventStreamDecoder()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """See Reader."""
        return map(_of_converse, self._decoder.feed(chunk))

    def finish(self) -> tuple[StreamEvent, ...]:
        """See Reader: a message that is not whole is none."""
        return ()


_READERS: Final[dict[str, Callable[[], Reader]]] = {CONVERSE: ConverseReader}


def failure_in(event: JsonObject) -> ProviderError | None:
    """Return the error that an event of a stream, or a whole answer, is; None if it is none.

    Chunks of Chat Completions have no type and no error, but may say by their reason to finish that the model failed.
    """
    if "type" in event:
        return read_error(event) if event["type"] == "error" else None
    return read_error(event) if event.get("error") else broken_off(event.get("choices"))


def _of_sse(event: SseEvent) -> StreamEvent:
    if not event.data:  # An empty `data` line is a sign of life, as a comment is.
        return PING
    if event.data == b"[DONE]":
        return CHAT_DONE
    parsed = _parsed(event.data)
    if isinstance(parsed, MalformedBody):
        return parsed
    kind = parsed.get("type") or event.event
    if kind == "ping":
        return PING
    return read_error(parsed) if kind == "error" else failure_in(parsed) or parsed


def _of_converse(message: EventStreamMessage) -> StreamEvent:
    headers = message.headers
    match headers.get(":message-type"):
        case "event":
            return _converse_event(str(headers.get(":event-type", "")), _parsed(message.payload))
        case "exception":
            told = _parsed(message.payload)
            return converse_exception(str(headers.get(":exception-type", "")), {} if isinstance(told, MalformedBody) else told)
        case "error":
            return converse_exception(str(headers.get(":error-code", "")), {"message": headers.get(":error-message")})
    return MalformedBody("neither an event nor an exception")


def _converse_event(kind: str, parsed: JsonObject | MalformedBody) -> StreamEvent:
    if isinstance(parsed, MalformedBody):
        return parsed
    return (malformed_answer(parsed.get("stopReason")) if kind == "messageStop" else None) or {kind: parsed}


def _parsed(data: bytes) -> JsonObject | MalformedBody:
    try:
        parsed = load_json(data)
    except orjson.JSONDecodeError as error:
        return MalformedBody("not JSON", detail=str(error))
    if not isinstance(parsed, dict):
        return MalformedBody("not a JSON object")
    return MalformedBody("nested too deep") if is_too_deep(data, parsed) else parsed
