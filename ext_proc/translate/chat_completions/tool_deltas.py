"""Tool calls in a chat stream: assigns deltas to calls, and puts calls into sequence.

Chat Completions may interleave deltas of several calls; Messages and Responses clients read one call at a time. The first call
passes on arrival; others wait until the previous one's JSON is complete, or until the stream ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.signatures import signature_of
from ext_proc.translate.json_fields import as_object, objects


@dataclass(slots=True)
class Call:
    """One tool call so far."""

    number: int
    id: str
    name: str
    waiting: list[str] = field(default_factory=list)
    """Arguments that were not sent yet."""
    passed: list[str] = field(default_factory=list)
    opened: bool = False
    signature: str = ""
    """The call's encoded signature, if it has one."""

    @property
    def arguments(self) -> str:
        """The arguments so far."""
        return "".join(self.passed) + "".join(self.waiting)


@dataclass(frozen=True, slots=True)
class Step:
    """A step of one call that can be sent to the client."""

    call: Call
    opens: bool
    arguments: str
    closes: bool


class ToolDeltas:
    """Collects the deltas of one stream's calls."""

    def __init__(self, exchange_id: str) -> None:
        self.calls: list[Call] = []
        self._exchange_id = exchange_id
        self._at: dict[object, Call] = {}
        """Call of each index. Some servers give every call the index 0."""
        self._current = 0

    def add(self, deltas: object, where: str) -> list[Step]:
        """Process `tool_calls` of one delta."""
        for delta, place in objects(deltas, where):
            self._add(delta, place)
        return list(self._steps())

    def finish(self) -> list[Step]:
        """Return the remaining steps at the end: every call is closed."""
        return list(self._steps(all_complete=True))

    def _add(self, delta: JsonObject, where: str) -> None:
        function = as_object(delta.get("function") or {}, f"{where}.function")
        index, name, arguments = delta.get("index", 0), function.get("name"), function.get("arguments")
        key = index if isinstance(index, int) else 0
        call = self._at.get(key)
        if call is None or (name and _is_of_another(delta.get("id"), call, arguments)):
            number = len(self.calls)
            call = Call(number, call_id(delta.get("id"), self._exchange_id, number), str(name or ""))
            self.calls.append(call)
            self._at[key] = call
        elif isinstance(name, str) and not call.opened and name != call.name:
            call.name += name
        if not call.opened:
            call.signature = signature_of(delta, call.id) or call.signature
        if isinstance(arguments, str) and arguments:
            call.waiting.append(arguments)
        elif isinstance(arguments, dict):  # Ollama's older versions.
            call.waiting.append(orjson.dumps(arguments).decode())

    def _steps(self, *, all_complete: bool = False) -> Iterable[Step]:
        while self._current < len(self.calls):
            call = self.calls[self._current]
            last = self._current == len(self.calls) - 1
            closes = all_complete or (not last and _is_whole(call))
            opens = not call.opened and (bool(call.name) or closes)
            call.opened = call.opened or opens
            if call.opened and (opens or closes or call.waiting):
                piece = "".join(call.waiting)
                call.passed.extend(call.waiting)
                call.waiting.clear()
                yield Step(call, opens, piece, closes)
            if not closes:
                return
            self._current += 1


def call_id(given: object, exchange_id: str, number: int) -> str:
    """Return the id of a call; a generated one, unique among all exchanges, if the server sent none."""
    return given if isinstance(given, str) and given else f"call_{exchange_id}_{number}"


def _is_of_another(ident: object, call: Call, arguments: object) -> bool:
    """Whether a named delta at the index of `call` begins another call.

    It does if it has a new id, or, without an id, arguments although those of `call` are complete: Gemini's API sends
    parallel calls whole, all with index 0 and an empty id.
    """
    if isinstance(ident, str) and ident:
        return ident != call.id
    return bool(arguments) and _is_whole(call)


def _is_whole(call: Call) -> bool:
    newest = (call.waiting or call.passed or [""])[-1]
    if not newest.rstrip().endswith("}"):
        return False  # Parsing all of it again for each delta would be quadratic.
    try:
        orjson.loads(call.arguments)
    except orjson.JSONDecodeError:
        return False
    return True
