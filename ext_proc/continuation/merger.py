"""The interface of stream mergers, one per client API: see the `*_merger` modules."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.transcript import Transcript


def index_in(event: JsonObject, name: str = "index", default: int = 0) -> int:
    """Return an index in an answer; an invalid one counts as missing."""
    index = event.get(name, default)
    return index if isinstance(index, int) else default


@dataclass(frozen=True, slots=True)
class Place:
    """The place of the text in an event with nothing else."""

    key: Hashable
    """Key of the text in the transcript."""
    path: tuple[str | int, ...]
    """Path in the event to the object with the text."""
    field: str
    """The text's name in that object."""

    def holder(self, event: JsonObject) -> JsonObject:
        """Return the object that has the text."""
        holder: Any = event
        for step in self.path:
            holder = holder[step]
        found: JsonObject = holder
        return found


class Merger(Protocol):
    """Accumulates the client's answer, and fits the events of a resumed stream to it."""

    transcript: Transcript
    number: int
    """The `sequence_number` of the last event that the client has; -1 if they have none."""
    complete: bool
    """Whether the client has the whole answer, except possibly the terminator."""

    def begin(self) -> None:
        """Begin a resumed stream, which repeats the answer from its beginning."""
        ...

    def fit(self, event: JsonObject) -> JsonObject | None:
        """Return the client's part of an event; None if the client has it already.

        Raises:
            Mismatch: it does not continue the client's answer.
        """
        ...

    def place(self, event: JsonObject) -> Place | None:
        """Return the place of the text in an event that `fit` has accepted; None if it has anything else.

        An event that differs only in that text, and in its number, only needs `record`.
        """
        ...

    def record(self, place: Place, text: str, number: int | None) -> None:
        """Record events of the first answer that only have text; `number` is the last `sequence_number`."""
        ...

    def text(self) -> str | None:
        """Return the client's text, if it has nothing else and one more message could complete it."""
        ...

    def give(self, length: int) -> None:
        """Count the first characters of that text as repeated, because they were a prefill."""
        ...

    def terminator(self) -> bytes:
        """Return the missing terminal events of a complete answer."""
        ...
