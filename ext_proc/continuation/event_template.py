"""Recognises events that differ from an earlier one only in their text, by their bytes, and passes them on unparsed.

Most events of a stream do. An event is split at the values that vary. Another event with the same bytes between
them, and a value of the same type in each place, differs in these values only: each is one token of JSON.
"""

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.codec.sse import SseEvent, encode_event
from ext_proc.continuation.merger import Place

_NUMBER: Final = "sequence_number"
_PADDING: Final = ("obfuscation", "p")
"""Padding of random length against eavesdroppers, as OpenAI and Mistral send it."""
_VALUE: Final = re.compile(rb'\s*:\s*(?:"([^"\\]*(?:\\.[^"\\]*)*)"|([1-9][0-9]*))')
"""The value after a field's name: the text between a string's quotes, or a number."""
_MAX_DIGITS: Final = 15


@dataclass(frozen=True, slots=True)
class Alike:
    """Consecutive events that match a template."""

    end: int
    """The position after them."""
    text: str
    """Their texts, joined."""
    number: int | None
    """The `sequence_number` of the last, None if they have none."""


class EventTemplate:
    """An event, split at the values that vary."""

    __slots__ = ("_begins", "_rest", "place")

    def __init__(self, place: Place, begins: bytes, rest: list[tuple[str, bytes]]) -> None:
        self.place = place
        self._begins = begins
        self._rest = rest
        """Names of the values that vary, in order, each with the bytes between it and the next."""

    def read(self, data: bytes, start: int) -> Alike | None:
        """Return the events at `start` that match it; None if there is none."""
        at, texts, number = start, [], None
        while (read := self._one(data, at)) is not None:
            at, values = read
            texts.append(values[self.place.field])
            number = values.get(_NUMBER)
        return Alike(at, "".join(texts), number) if texts else None

    def _one(self, data: bytes, at: int) -> tuple[int, dict[str, Any]] | None:
        if not data.startswith(self._begins, at):
            return None
        at += len(self._begins)
        values: dict[str, Any] = {}
        for name, after in self._rest:
            end = data.find(after, at)
            value = _value(name, data[at:end]) if end >= 0 else None
            if value is None:
                return None
            values[name] = value
            at = end + len(after)
        return at, values


def event_template(event: SseEvent, place: Place) -> EventTemplate | None:
    """Return the template of an event; None if it is not certain."""
    data = event.data or b""
    if b"\n" in data or b"\r" in data:
        return None
    parsed = orjson.loads(data)
    varying = {place.field: place.holder(parsed)}
    varying |= {name: parsed for name in _PADDING if isinstance(parsed.get(name), str)}
    varying |= {_NUMBER: parsed} if type(parsed.get(_NUMBER)) is int else {}
    spans = sorted((*_span(data, name), name) for name in varying)
    if not _are_these(data, [end for _, end, _ in spans], parsed, varying):
        return None
    starts = [start for start, _, _ in spans]
    after = [data[end:start] for (_, end, _), start in zip(spans, [*starts[1:], len(data)], strict=True)]
    after[-1] += b"\n\n"
    begins = encode_event(data[: starts[0]], event.event).removesuffix(b"\n\n")
    return EventTemplate(place, begins, list(zip([name for _, _, name in spans], after, strict=True)))


def _span(data: bytes, name: str) -> tuple[int, int]:
    """Return the probable place of a value, without the quotes of a string."""
    quoted = b'"' + name.encode() + b'"'
    match = _VALUE.match(data, data.find(quoted) + len(quoted))
    return match.span(match.lastindex or 0) if match else (0, 0)


def _are_these(data: bytes, ends: list[int], parsed: JsonObject, varying: dict[str, JsonObject]) -> bool:
    """Verify that these bytes are those values: changing the bytes changes these values and nothing else."""
    for name, holder in varying.items():
        holder[name] = holder[name] * 10 + 9 if name == _NUMBER else holder[name] + "9"
    changed = b"9".join(data[start:end] for start, end in pairwise([0, *ends, len(data)]))
    try:
        return bool(orjson.loads(changed) == parsed)
    except orjson.JSONDecodeError:
        return False


def _value(name: str, raw: bytes) -> str | int | None:
    """Return the value between two fixed parts; None if it is not one token of its type."""
    if name == _NUMBER:
        return int(raw) if raw.isdigit() and raw[:1] != b"0" and len(raw) <= _MAX_DIGITS else None
    try:
        value: str = orjson.loads(b'"%b"' % raw)
    except orjson.JSONDecodeError:
        return None
    return value
