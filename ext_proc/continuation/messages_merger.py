"""Messages: blocks that begin, grow and end. One message_start and one message_stop for all models."""

from collections.abc import Hashable
from typing import Any, Final

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.merger import Place, index_in
from ext_proc.continuation.transcript import Mismatch, Transcript

_TEXTS: Final = {
    "text_delta": "text",
    "thinking_delta": "thinking",
    "input_json_delta": "partial_json",
    "signature_delta": "signature",
}
_START: Final = ("start",)
_FIRST_BLOCK: Final = ("block", 0)
_FIRST_TEXT: Final = (0, "text_delta")


class MessagesMerger:
    """A Merger."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.number = -1
        self.complete = False
        self._input_tokens = 0
        self._runs = 1

    def begin(self) -> None:
        """See Merger."""
        self._runs += 1
        self.transcript.begin()

    def fit(self, event: JsonObject) -> JsonObject | None:
        """See Merger."""
        match event.get("type"):
            case "message_start":
                self._count(event.get("message"))
                return event if self.transcript.mark(_START) else None
            case "content_block_start":
                block = event.get("content_block")
                key: Hashable = ("block", index_in(event))
                return event if self.transcript.mark(key, _what(block if isinstance(block, dict) else {})) else None
            case "content_block_delta":
                return self._delta(event)
            case "content_block_stop":
                return event if self.transcript.mark(("stop", index_in(event))) else None
            case "message_delta":
                return self._end(event)
        return event

    def place(self, event: JsonObject) -> Place | None:
        """See Merger."""
        match event:
            case {"type": "content_block_delta", "delta": {"type": str(kind)} as delta} if kind in _TEXTS:
                field = _TEXTS[kind]
                return Place((index_in(event), kind), ("delta",), field) if isinstance(delta.get(field), str) else None
        return None

    def record(self, place: Place, text: str, number: int | None) -> None:
        """See Merger."""
        del number
        self.transcript.take(place.key, text)

    def text(self) -> str | None:
        """See Merger."""
        alone = self.transcript.consists_of((_START, _FIRST_BLOCK, _FIRST_TEXT))
        return self.transcript.sent().get(_FIRST_TEXT) if alone else None

    def give(self, length: int) -> None:
        """See Merger."""
        self.transcript.give(_FIRST_TEXT, length)

    def terminator(self) -> bytes:
        """See Merger."""
        return b'event: message_stop\ndata: {"type":"message_stop"}\n\n'

    def _delta(self, event: JsonObject) -> JsonObject | None:
        index, delta = index_in(event), event.get("delta")
        if not isinstance(delta, dict):
            return event
        kind = str(delta.get("type"))
        field = _TEXTS.get(kind)
        if field is None:
            return event if self.transcript.take_whole((index, kind), delta) else None
        said, has_ended = delta.get(field), self.transcript.has(("stop", index))
        if has_ended and self.transcript.caught_up:
            raise Mismatch
        new = self.transcript.take((index, kind), said) if isinstance(said, str) else ""
        if new and has_ended:
            raise Mismatch
        if self._runs == 1:
            return event
        return {**event, "delta": {**delta, field: new}} if new else None

    def _end(self, event: JsonObject) -> JsonObject:
        if not self.transcript.caught_up:
            raise Mismatch
        self.complete = True
        usage = event.get("usage")
        if self._runs == 1 or not isinstance(usage, dict):
            return event
        return {**event, "usage": {**usage, "input_tokens": self._input_tokens}}

    def _count(self, message: Any) -> None:
        usage = message.get("usage") if isinstance(message, dict) else None
        tokens = usage.get("input_tokens") if isinstance(usage, dict) else None
        self._input_tokens += tokens if isinstance(tokens, int) else 0


def _what(block: JsonObject) -> str:
    """Return the part of a repeated block that must be equal: all but its id."""
    return orjson.dumps({**block, "id": None}, option=orjson.OPT_SORT_KEYS).decode()
