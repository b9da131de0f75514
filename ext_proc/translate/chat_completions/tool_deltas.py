"""Tool calls in a chat stream: which call a delta belongs to, and in which order calls can be passed on one after the other.

Chat Completions may mix pieces of several calls; Messages and Responses clients read one call at a time. The first call passes
as it comes; others wait until the one before is complete, which its JSON tells, or until the stream says that all are.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.signatures import signature_of
from ext_proc.translate.json_fields import as_object, objects


@dataclass(slots=True)
class Call:
    """One tool call as far as it came."""

    number: int
    id: str
    name: str
    waiting: list[str] = field(default_factory=list)
    """Arguments that were not passed on yet."""
    passed: list[str] = field(default_factory=list)
    opened: bool = False
    signature: str = ""
    """What stands for the call's signature, if it has one."""

    @property
    def arguments(self) -> str:
        """Everything that came."""
        return "".join(self.passed) + "".join(self.waiting)


@dataclass(frozen=True, slots=True)
class Step:
    """What the client may be told now about one call."""

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
        """Take `tool_calls` of one delta."""
        for delta, place in objects(deltas, where):
            self._add(delta, place)
        return list(self._steps())

    def finish(self) -> list[Step]:
        """Return what is left when no more deltas come: every call is closed."""
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
    """Return the id of a call; one of our own, unique among all exchanges, if the server gave none."""
    return given if isinstance(given, str) and given else f"call_{exchange_id}_{number}"


def _is_of_another(ident: object, call: Call, arguments: object) -> bool:
    """Tell whether a named delta at the index of `call` begins another call.

    It does if it brings a new id, or, without an id, arguments although those of `call` are complete: Gemini's API sends
    parallel calls whole, all with index 0 and an empty id.
    """
    if isinstance(ident, str) and ident:
        return ident != call.id
    return bool(arguments) and _is_whole(call)


def _is_whole(call: Call) -> bool:
    newest = (call.waiting or call.passed or [""])[-1]
    if not newest.rstrip().endswith("}"):
        return False  # Reading all of it again for each piece would take the longer, the longer it is.
    try:
        orjson.loads(call.arguments)
    except orjson.JSONDecodeError:
        return False
    return True
