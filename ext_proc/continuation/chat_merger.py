"""Chat Completions: chunks whose deltas add up, by choice and tool call. Ids and the model's name stay the first answer's."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.merger import Place, index_in
from ext_proc.continuation.transcript import Mismatch, Transcript

_KEPT: Final = ("id", "created", "model", "system_fingerprint")
_TEXTS: Final = ("content", "refusal", "reasoning_content", "reasoning")
_CONTENT: Final = (0, "content")


class ChatMerger:
    """A Merger."""

    def __init__(self) -> None:
        self.transcript = Transcript()
        self.number = -1
        self.complete = False
        self._runs = 1
        self._kept: JsonObject = {}
        self._heard: set[tuple[int, str]] = set()

    def begin(self) -> None:
        """See Merger."""
        self._runs += 1
        self.transcript.begin()

    def fit(self, event: JsonObject) -> JsonObject | None:
        """See Merger."""
        choices = event.get("choices")
        if not isinstance(choices, list):
            return event
        kept = {name: event[name] for name in _KEPT if event.get(name)}
        fitted = [new for choice in choices if isinstance(choice, dict) and (new := self._choice(choice)) is not None]
        if self._runs == 1:
            self._kept = kept | self._kept
            return event
        self._kept = self._kept or kept
        if choices and not fitted:
            return None
        return {**event, **{name: value for name, value in self._kept.items() if name in event}, "choices": fitted}

    def place(self, event: JsonObject) -> Place | None:
        """See Merger."""
        match event.get("choices"):
            case [{"delta": dict(delta)} as choice] if not choice.get("finish_reason"):
                said = [name for name, value in delta.items() if value and not (name == "role" and isinstance(value, str))]
                if len(said) == 1 and said[0] in _TEXTS and isinstance(delta[said[0]], str):
                    return Place((index_in(choice), said[0]), ("choices", 0, "delta"), said[0])
        return None

    def record(self, place: Place, text: str, number: int | None) -> None:
        """See Merger."""
        del number
        self.transcript.take(place.key, text)

    def text(self) -> str | None:
        """See Merger."""
        return self.transcript.sent().get(_CONTENT) if self.transcript.consists_of((_CONTENT,)) else None

    def give(self, length: int) -> None:
        """See Merger."""
        self.transcript.give(_CONTENT, length)

    def terminator(self) -> bytes:
        """See Merger."""
        return b"data: [DONE]\n\n"

    def _choice(self, choice: JsonObject) -> JsonObject | None:
        index, delta = index_in(choice), choice.get("delta")
        said = self._delta(index, delta) if isinstance(delta, dict) else {}
        finish = choice.get("finish_reason")
        if finish:
            if not self.transcript.caught_up:
                raise Mismatch
            self.complete = True
        return {**choice, "delta": said} if said or finish else None

    def _delta(self, index: int, delta: JsonObject) -> JsonObject:
        said: JsonObject = {}
        for name, value in delta.items():
            if name == "role" and isinstance(value, str):
                if self._is_first(index, name):
                    said[name] = value
            elif name in _TEXTS and isinstance(value, str):
                new, is_unheard = self.transcript.take((index, name), value), self._is_first(index, name)
                if new or is_unheard:
                    said[name] = new
            elif name == "tool_calls" and isinstance(value, list):
                calls = [fitted for call in value if isinstance(call, dict) and (fitted := self._call(index, call))]
                if calls:
                    said[name] = calls
            elif value and self.transcript.take_whole((index, name), value):
                said[name] = value
        return said

    def _call(self, choice: int, call: JsonObject) -> JsonObject:
        place, given = index_in(call), call.get("function")
        function: Any = given if isinstance(given, dict) else {}
        others = {key: value for key, value in call.items() if key not in ("index", "id", "type", "function") and value}
        said: JsonObject = {}
        name, arguments = function.get("name"), function.get("arguments")
        if isinstance(name, str) and name and self.transcript.mark((choice, place, "name"), name):
            said = {**call, "function": {"name": name, "arguments": ""}}
        if isinstance(arguments, str) and (new := self.transcript.take((choice, place, "arguments"), arguments)):
            said = {**(said or {"index": place}), "function": {**said.get("function", {}), "arguments": new}}
        if others and self.transcript.take_whole((choice, place, "others"), others):
            said = {**call, **said}
        return said

    def _is_first(self, index: int, name: str) -> bool:
        """Whether a field occurs for the first time, when even an empty one matters."""
        is_unheard = (index, name) not in self._heard
        self._heard.add((index, name))
        return is_unheard
