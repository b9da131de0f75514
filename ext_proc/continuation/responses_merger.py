"""Responses: items with ids, and every text twice, as deltas and whole. Ids stay those of the first answer.

Resumed only by an answer that repeats everything, so that its whole texts are right.
"""

from typing import Any, Final

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.merger import Place, index_in
from ext_proc.continuation.transcript import Mismatch, Transcript

_PLACES: Final = ("output_index", "content_index", "summary_index", "annotation_index")
_OWN: Final = frozenset({"id", "item_id", "call_id", "sequence_number", "obfuscation", "response", "created_at"})
"""Fields that differ between equivalent answers."""
_ENDS: Final = ("response.completed", "response.incomplete")
_BEGINNINGS: Final = ("response.created", "response.in_progress", "response.queued")


class ResponsesMerger:
    """A Merger."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.complete = False
        self._runs = 1
        self.number = -1
        self._number_before = -1
        self._head: JsonObject = {}
        self._ids: dict[tuple[int, str], str] = {}
        self._renamed: dict[str, str] = {}

    def begin(self) -> None:
        """See Merger."""
        self._runs += 1
        self._renamed = {}
        if not self.transcript.caught_up:
            self.number = self._number_before  # Events numbered since then were not sent.
        self._number_before = self.number
        self.transcript.begin()

    def fit(self, event: JsonObject) -> JsonObject | None:
        """See Merger."""
        kind = str(event.get("type"))
        self._learn(kind, event)
        fitted = self._new(kind, event)
        if fitted is None or self._runs == 1:
            self.number = index_in(event, "sequence_number", self.number) if fitted is not None else self.number
            return fitted
        return self._in_first_ids(fitted)

    def place(self, event: JsonObject) -> Place | None:
        """See Merger."""
        kind = str(event.get("type"))
        if not kind.endswith(".delta") or not isinstance(event.get("delta"), str):
            return None
        return Place(_place(kind, event), (), "delta")

    def record(self, place: Place, text: str, number: int | None) -> None:
        """See Merger."""
        self.transcript.take(place.key, text)
        self.number = self.number if number is None else number

    def text(self) -> str | None:
        """See Merger."""
        return None

    def give(self, length: int) -> None:
        """See Merger."""
        assert length == 0, "there is no text to be given"

    def terminator(self) -> bytes:
        """See Merger."""
        return b""

    def _new(self, kind: str, event: JsonObject) -> JsonObject | None:
        place = _place(kind, event)
        if kind in _ENDS:
            if not self.transcript.caught_up:
                raise Mismatch
            self.complete = True
            return event
        delta = event.get("delta")
        if isinstance(delta, str):
            new = self.transcript.take(place, delta)
            if new == delta or self._runs == 1:
                return event
            return (
                {**{name: value for name, value in event.items() if name not in ("obfuscation", "logprobs")}, "delta": new}
                if new
                else None
            )
        value = "" if kind in _BEGINNINGS else orjson.dumps(_without_own(event), option=orjson.OPT_SORT_KEYS).decode()
        return event if self.transcript.mark(place, value) else None

    def _learn(self, kind: str, event: JsonObject) -> None:
        response, item = event.get("response"), event.get("item")
        if kind in _BEGINNINGS and isinstance(response, dict):
            self._head = self._head or {name: response[name] for name in ("id", "model", "created_at") if name in response}
        if kind == "response.output_item.added" and isinstance(item, dict):
            for name in ("id", "call_id"):
                place, own = (index_in(event, "output_index"), name), item.get(name)
                if isinstance(own, str):
                    first = self._ids.setdefault(place, own)
                    self._renamed[own] = first

    def _in_first_ids(self, event: JsonObject) -> JsonObject:
        renamed: JsonObject = _rename(event, self._renamed)
        if isinstance(renamed.get("response"), dict):
            renamed["response"] = {**renamed["response"], **self._head}
        if "sequence_number" in renamed:
            self.number += 1
            renamed["sequence_number"] = self.number
        return renamed


def _place(kind: str, event: JsonObject) -> tuple[str | int, ...]:
    # Some hosts number all items, not only those of the event.
    return kind, *(index_in(event, name, -1) for name in _PLACES if name != "summary_index" or "summary" in kind)


def _without_own(value: Any) -> Any:
    if isinstance(value, dict):
        # Some providers write `"logprobs": []` where others omit it.
        said = {name: _without_own(inner) for name, inner in value.items() if name not in _OWN}
        return {name: inner for name, inner in said.items() if inner not in (None, [], {})}
    return [_without_own(inner) for inner in value] if isinstance(value, list) else value


def _rename(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            name: names.get(inner, inner)
            if name in ("id", "item_id", "call_id") and isinstance(inner, str)
            else _rename(inner, names)
            for name, inner in value.items()
        }
    return [_rename(inner, names) for inner in value] if isinstance(value, list) else value
