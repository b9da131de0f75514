"""The router that needs no model."""

from collections.abc import Sequence
from dataclasses import dataclass

from ext_proc.apis.conversation import Conversation


@dataclass(frozen=True, slots=True)
class Choice:
    """The agent that matches best."""

    agent: str
    score: float
    terms: tuple[str, ...]
    """What matched, best first: words of the agents' own names and descriptions, never the user's."""


class BuiltInRouter:
    """Matches conversations against names and descriptions."""

    def __init__(self, agents: Sequence[tuple[str, str]]) -> None:
        """Compile the profiles of agents, given as (id, description)."""
        self._agents = tuple(agents)

    def choose(self, conversation: Conversation) -> Choice | None:
        """Return the best match, or None if nothing fits."""
        return None
