"""Server-sent events: bytes in any chunks -> events -> bytes.

Follows https://html.spec.whatwg.org/multipage/server-sent-events.html, on bytes: `data` stays undecoded, because JSON parsers
read bytes and an LLM's text may hold U+2028, which must not end a line. Comments are reported (as events without data), because
providers send them as keep-alives that have to reach the client in its own form.
"""

from dataclasses import dataclass
from typing import Final

from ext_proc.errors import UpstreamError

MAX_EVENT_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of an event: nothing else bounds the buffer of a stream."""

_BOM: Final = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class SseEvent:
    """One event, or one comment (`data` is None)."""

    data: bytes | None
    """Joined by line feeds if there were several `data` lines."""
    event: str = ""
    """Type of the event, "" if the stream named none."""


class SseDecoder:
    """Decodes a stream into events; buffers an incomplete one."""

    def __init__(self, *, max_event_bytes: int = MAX_EVENT_BYTES) -> None:
        self._max = max_event_bytes
        self._held: list[bytes] = []
        """Chunks of the unfinished line; joined once, so that many small chunks cost no more than one large one."""
        self._size = 0
        """Buffered bytes of the unfinished line and event."""
        self._data: list[bytes] = []
        self._event = ""
        self._after_cr = False
        self._at_start = True

    @property
    def is_between_events(self) -> bool:
        """Whether the input so far ends between events."""
        return not (self._held or self._data or self._event or self._after_cr)

    def feed(self, chunk: bytes) -> list[SseEvent]:
        """Return the events that `chunk` completes.

        Raises:
            UpstreamError: an event is longer than the limit.
        """
        if not chunk:
            return []
        if self._after_cr and chunk.startswith(b"\n"):
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r") if chunk else False
        if b"\r" in chunk:
            chunk = chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        first, *rest = chunk.split(b"\n")
        self._hold(first)
        if not rest:
            return []
        events: list[SseEvent] = []
        self._line(self._take(), events)
        for line in rest[:-1]:
            self._line(line, events)
        self._hold(rest[-1])
        return events

    def finish(self) -> list[SseEvent]:
        """Return the event that the end of the stream completes: some upstreams omit the last empty line."""
        events: list[SseEvent] = []
        self._line(self._take(), events)
        self._line(b"", events)
        return events

    def _hold(self, piece: bytes) -> None:
        if piece:
            self._held.append(piece)
            self._grow(len(piece))

    def _take(self) -> bytes:
        line = b"".join(self._held)
        self._held.clear()
        self._size -= len(line)
        return line

    def _grow(self, size: int) -> None:
        self._size += size
        if self._size > self._max:
            raise UpstreamError("the upstream sent an event that is too long", detail=f"more than {self._max} bytes")

    def _line(self, line: bytes, events: list[SseEvent]) -> None:
        if self._at_start:
            self._at_start = False
            line = line.removeprefix(_BOM)
        if not line:
            self._dispatch(events)
            return
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            self._data.append(value)
            self._grow(len(value) + 1)
        elif name == b"event":
            self._event = value.decode(errors="replace")
        elif not name:
            events.append(SseEvent(None))

    def _dispatch(self, events: list[SseEvent]) -> None:
        if self._data:
            data = self._data[0] if len(self._data) == 1 else b"\n".join(self._data)
            events.append(SseEvent(data, self._event))
            self._size -= sum(len(line) + 1 for line in self._data)
            self._data = []
        self._event = ""


def encode_event(data: bytes, event: str = "") -> bytes:
    """Return the encoding of one event."""
    if b"\n" in data or b"\r" in data:
        lines = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
        data = b"\ndata: ".join(lines)
    if event:
        return b"event: " + event.encode() + b"\ndata: " + data + b"\n\n"
    return b"data: " + data + b"\n\n"


def encode_comment(text: str) -> bytes:
    """Return the encoding of a comment, which keeps a connection alive and which clients ignore."""
    return b": " + text.encode() + b"\n\n"
