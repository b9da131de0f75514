"""Events of a Converse stream.

Binary messages name their type in a header. An event is an object with that type as its only key,
`{"contentBlockDelta": {...}}`, as in Amazon's documentation.
"""

from collections.abc import Iterator

from ext_proc.apis.provider_errors import converse_exception, malformed_answer
from ext_proc.apis.readers import StreamEvent, parse_event
from ext_proc.codec.event_stream import EventStreamDecoder, EventStreamMessage
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody


class ConverseReader:
    """A Reader of Converse."""

    def __init__(self) -> None:
        self._decoder = EventStreamDecoder()

    def feed(self, chunk: bytes) -> Iterator[StreamEvent]:
        """See Reader."""
        return map(_of_converse, self._decoder.feed(chunk))

    def finish(self) -> tuple[StreamEvent, ...]:
        """See Reader: an incomplete message is dropped."""
        return ()


def _of_converse(message: EventStreamMessage) -> StreamEvent:
    headers = message.headers
    match headers.get(":message-type"):
        case "event":
            return _converse_event(str(headers.get(":event-type", "")), parse_event(message.payload))
        case "exception":
            told = parse_event(message.payload)
            return converse_exception(str(headers.get(":exception-type", "")), {} if isinstance(told, MalformedBody) else told)
        case "error":
            return converse_exception(str(headers.get(":error-code", "")), {"message": headers.get(":error-message")})
    return MalformedBody("neither an event nor an exception")


def _converse_event(kind: str, parsed: JsonObject | MalformedBody) -> StreamEvent:
    if isinstance(parsed, MalformedBody):
        return parsed
    return (malformed_answer(parsed.get("stopReason")) if kind == "messageStop" else None) or {kind: parsed}
