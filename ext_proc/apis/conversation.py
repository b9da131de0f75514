"""The conversation inside a request body of any client API: who said what, as text."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Turn:
    """What one side said."""

    role: str
    """`user` or `assistant`."""
    text: str


Conversation = tuple[Turn, ...]


def read_conversation(api: str, body: Mapping[str, object]) -> Conversation:
    """Read the conversation of a body: `api` is `chat_completions`, `messages` or `responses`.

    Raises:
        MalformedBody: a field that must be there is missing or of the wrong type; `param` names it.
    """
    raise NotImplementedError
