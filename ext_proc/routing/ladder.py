"""The ladder of decisions: orchestrator model, built-in router, default agent, first agent.

A rung that fails or knows nothing hands over to the next one; the reason says what happened on the way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agent_pool import AgentPool
from ext_proc.routing.orchestrator import OrchestratorFailed, ask_orchestrator
from ext_proc.runtime import Orchestrator

Rung = Literal["only_agent", "orchestrator", "built_in_router", "default_agent", "first_agent"]
RUNGS: Final[tuple[Rung, ...]] = ("only_agent", "orchestrator", "built_in_router", "default_agent", "first_agent")

MAX_REASON: Final = 200
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]")


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
    """Choose the agent that answers; the trace context in `headers` goes along to the orchestrator. Never raises."""
    if len(agents.ids) == 1:
        return Decision(agents.ids[0], "only_agent", "")
    if not conversation:
        return _fallback(agents, "nothing was said")
    why_not = ""
    if orchestrator is not None:
        try:
            named = await ask_orchestrator(
                orchestrator, agents.routes, agents.known, conversation, egress=egress, headers=headers
            )
        except OrchestratorFailed as failure:
            why_not = str(failure)
        else:
            return _named(agents, named)
    choice = agents.router.choose(conversation)
    if choice is None:
        return _fallback(agents, _joined(why_not, "nothing matched"))
    terms = ", ".join(f'"{term}"' for term in choice.terms)
    return Decision(choice.agent, "built_in_router", _reason(_joined(why_not, f"matched {terms}")))


def _named(agents: AgentPool, named: tuple[str, ...]) -> Decision:
    if not named:
        # As in Plano: a model that was asked and found nothing is not overruled by matching words.
        return _fallback(agents, "orchestrator found nothing that fits")
    first, *others = named
    return Decision(first, "orchestrator", _reason(f"first of {', '.join(named)}" if others else "the only one named"))


def _fallback(agents: AgentPool, reason: str) -> Decision:
    if agents.default is not None:
        return Decision(agents.default, "default_agent", _reason(reason))
    return Decision(agents.ids[0], "first_agent", _reason(reason))


def _joined(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def _reason(text: str) -> str:
    """Make `text` safe for a header: visible ASCII and spaces, bounded."""
    safe = _UNSAFE.sub("?", text)
    return safe if len(safe) <= MAX_REASON else f"{safe[: MAX_REASON - 3]}..."
