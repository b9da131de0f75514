"""The ladder of decisions: orchestrator model, built-in router; for agents then the default agent, or the first one.

A rung that fails or knows nothing hands over to the next one; the reason says what happened on the way.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.orchestrator import OrchestratorFailed, ask_orchestrator
from ext_proc.runtime import Orchestrator

Rung = Literal["only_agent", "orchestrator", "built_in_router", "default_agent", "first_agent"]
RUNGS: Final[tuple[Rung, ...]] = ("only_agent", "orchestrator", "built_in_router", "default_agent", "first_agent")

MatchRung = Literal["orchestrator", "built_in_router"]
"""The rungs that agents and models share."""

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


@dataclass(frozen=True, slots=True)
class Match:
    """What a conversation was found to be about, by whom, and why."""

    name: str
    rung: MatchRung
    reason: str


@dataclass(frozen=True, slots=True)
class NoMatch:
    """Nothing fits, or nobody could tell."""

    reason: str


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
    match = await find_match(agents, conversation, egress=egress, orchestrator=orchestrator, headers=headers)
    if isinstance(match, NoMatch):
        return _fallback(agents, match.reason)
    return Decision(match.name, match.rung, safe_reason(match.reason))


async def find_match(
    pool: AgentPool,
    conversation: Conversation,
    *,
    egress: Egress,
    orchestrator: Orchestrator | None,
    headers: Mapping[str, str],
) -> Match | NoMatch:
    """Ask the orchestrator, or else the built-in router, which one of `pool` is meant. Never raises."""
    if not conversation:
        return NoMatch("nothing was said")
    why_not = ""
    if orchestrator is not None:
        try:
            named = await ask_orchestrator(orchestrator, pool.routes, pool.known, conversation, egress=egress, headers=headers)
        except OrchestratorFailed as failure:
            why_not = str(failure)
        else:
            return _named(named)
    choice = pool.router.choose(conversation)
    if choice is None:
        return NoMatch(_joined(why_not, "nothing matched"))
    terms = ", ".join(f'"{term}"' for term in choice.terms)
    return Match(choice.agent, "built_in_router", _joined(why_not, f"matched {terms}"))


def _named(named: tuple[str, ...]) -> Match | NoMatch:
    if not named:
        # As in Plano: a model that was asked and found nothing is not overruled by matching words.
        return NoMatch("orchestrator found nothing that fits")
    first, *others = named
    return Match(first, "orchestrator", f"first of {', '.join(named)}" if others else "the only one named")


def _fallback(agents: AgentPool, reason: str) -> Decision:
    if agents.default is not None:
        return Decision(agents.default, "default_agent", safe_reason(reason))
    return Decision(agents.ids[0], "first_agent", safe_reason(reason))


def _joined(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def safe_reason(text: str) -> str:
    """Make `text` safe for a header: visible ASCII and spaces, bounded."""
    safe = _UNSAFE.sub("?", text)
    return safe if len(safe) <= MAX_REASON else f"{safe[: MAX_REASON - 3]}..."
