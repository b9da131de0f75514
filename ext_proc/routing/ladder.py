"""The ladder of decisions: orchestrator model, built-in router, default agent, first agent.

A rung that fails or knows nothing hands over to the next one; the reason says what happened on the way.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agent_pool import AgentPool
from ext_proc.runtime import Orchestrator

Rung = Literal["only_agent", "orchestrator", "built_in_router", "default_agent", "first_agent"]
RUNGS: Final[tuple[Rung, ...]] = ("only_agent", "orchestrator", "built_in_router", "default_agent", "first_agent")


@dataclass(frozen=True, slots=True)
class Decision:
    """Which agent answers, who decided, and why."""

    agent: str
    """Id of an agent of the pool."""
    rung: Rung
    reason: str
    """Visible ASCII, bounded: goes into a header and the log."""

    @property
    def header(self) -> str:
        """Value of `x-plano-decision`."""
        return f"{self.rung}; {self.reason}" if self.reason else self.rung


async def choose_agent(
    agents: AgentPool,
    conversation: Conversation,
    *,
    egress: Egress,
    orchestrator: Orchestrator | None,
    headers: Mapping[str, str],
) -> Decision:
    """Choose the agent that answers; `headers` (trace context, request id) go along to the orchestrator. Never raises."""
    raise NotImplementedError
