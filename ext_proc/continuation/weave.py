"""What must be known of a client API so that another stream can take up one of its streams: see the `*_weave` modules."""

from typing import Protocol

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.ledger import Ledger


def index_in(event: JsonObject, name: str = "index", default: int = 0) -> int:
    """Return the number of a place in an answer; what is none counts as not given."""
    index = event.get(name, default)
    return index if isinstance(index, int) else default


class Weave(Protocol):
    """Folds what the client gets, and fits the events of whoever takes over to it."""

    ledger: Ledger
    complete: bool
    """Whether the client has all of the answer; at most an announcement of the end is missing."""

    def begin(self) -> None:
        """Let another answer take over, which says everything again."""
        ...

    def fit(self, event: JsonObject) -> JsonObject | None:
        """Return what the client gets of an event, None if it has it.

        Raises:
            Mismatch: it does not go on from what the client has.
        """
        ...

    def text(self) -> str | None:
        """Return the text that the client has, if that is all it has and if one more message could bring the rest."""
        ...

    def give(self, length: int) -> None:
        """Count the first characters of that text as said: whoever takes over was given them."""
        ...

    def farewell(self) -> bytes:
        """Return what is missing of a complete answer's end."""
        ...
