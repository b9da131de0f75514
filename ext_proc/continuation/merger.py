"""What resuming a stream needs to know of a client API: see the `*_merger` modules."""

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any, Protocol

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.transcript import Transcript


def index_in(event: JsonObject, name: str = "index", default: int = 0) -> int:
    """Return the number of a place in an answer; what is none counts as not given."""
    index = event.get(name, default)
    return index if isinstance(index, int) else default


@dataclass(frozen=True, slots=True)
class Place:
    """Where the text is in an event that brings nothing else."""

    key: Hashable
    """Key of the text in the transcript."""
    path: tuple[str | int, ...]
    """To the object that has the text, in the event."""
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
    """Folds what the client gets, and fits the events of a resumed stream to it."""

    transcript: Transcript
    number: int
    """The `sequence_number` of the last event that the client has; -1 if they have none."""
    complete: bool
    """Whether the client has all of the answer; at most an announcement of the end is missing."""

    def begin(self) -> None:
        """Begin a resumed stream, which repeats the answer from its beginning."""
        ...

    def fit(self, event: JsonObject) -> JsonObject | None:
        """Return what the client gets of an event, None if it has it.

        Raises:
            Mismatch: it does not go on from what the client has.
        """
        ...

    def place(self, event: JsonObject) -> Place | None:
        """Return where the text is in an event of the first answer that `fit` has taken, None if it brings anything else.

        Other texts in that place, and other numbers of the event, make it one that needs only to be heard.
        """
        ...

    def hear(self, place: Place, text: str, number: int | None) -> None:
        """Take events of the first answer that bring nothing but text, `number` being the `sequence_number` of the last."""
        ...

    def text(self) -> str | None:
        """Return the text that the client has, if that is all it has and if one more message could bring the rest."""
        ...

    def give(self, length: int) -> None:
        """Count the first characters of that text as repeated: the model was given them."""
        ...

    def terminator(self) -> bytes:
        """Return what is missing of a complete answer's end."""
        ...
