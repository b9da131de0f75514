"""The interface of the semantic rung, which exists only with embeddings."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent_pool import AgentPool


class SemanticRungFailed(Exception):
    """No semantic decision; the message is a constant phrase that is safe to show."""


@dataclass(frozen=True, slots=True)
class Meant:
    """The result for a question."""

    names: tuple[str, ...]
    """In the order of the question; empty without a match."""
    reason: str
    """Score and runner-up."""


class SemanticRung(Protocol):
    """Decides by embeddings."""

    async def choose(self, pool: AgentPool, conversation: Conversation, *, egress: Egress, headers: Mapping[str, str]) -> Meant:
        """Find the matching candidates of a conversation; the trace context in `headers` is forwarded.

        Raises:
            SemanticRungFailed: embeddings are not available.
        """
        ...
