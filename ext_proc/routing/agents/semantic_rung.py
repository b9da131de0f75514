"""What the ladder asks of a rung that goes by meaning. Who has no embeddings has no such rung."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent_pool import AgentPool


class SemanticRungFailed(Exception):
    """No decision by meaning; the message is a constant phrase that is safe to show."""


@dataclass(frozen=True, slots=True)
class Meant:
    """What a question was found to mean."""

    names: tuple[str, ...]
    """In the order in which they were spoken of; empty if nothing fits."""
    reason: str
    """Score and runner-up."""


class SemanticRung(Protocol):
    """Decides by meaning."""

    async def choose(self, pool: AgentPool, conversation: Conversation, *, egress: Egress, headers: Mapping[str, str]) -> Meant:
        """Find what a conversation is about; the trace context in `headers` goes along.

        Raises:
            SemanticRungFailed: there are no embeddings to go by.
        """
        ...
