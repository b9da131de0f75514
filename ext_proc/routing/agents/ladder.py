"""The ladder of decisions: orchestrator, semantic rung, built-in router; for agents then the default agent, or the first one.

If the built-in router is sure, the semantic rung is skipped; else the semantic rung takes the router's scores into account.

If a rung fails or finds nothing, the next one decides; the reason records what happened.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from ext_proc.apis.conversation import Conversation
from ext_proc.ports import Egress
from ext_proc.routing.agents.agent import Orchestrator
from ext_proc.routing.agents.agent_pool import AgentPool
from ext_proc.routing.agents.built_in_router import Choice
from ext_proc.routing.agents.decision_memory import DecisionMemory
from ext_proc.routing.agents.orchestrator import Named, OrchestratorFailed, ask_orchestrator
from ext_proc.routing.agents.semantic_rung import SemanticRung, SemanticRungFailed

Rung = Literal["named_agent", "only_agent", "orchestrator", "semantic", "built_in_router", "default_agent", "first_agent"]
RUNGS: Final[tuple[Rung, ...]] = get_args(Rung)

MatchRung = Literal["orchestrator", "semantic", "built_in_router"]
"""The rungs that agents and models share."""

MAX_REASON: Final = 200
_UNSAFE: Final = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Decision:
    """The chosen agents, the deciding rung, and the reason."""

    agents: tuple[str, ...]
    """Ids of agents of the pool, in the order in which they should run; at least one."""
    rung: Rung
    reason: str
    """Visible ASCII, bounded: goes into a header and the log."""

    @property
    def agent(self) -> str:
        """The first of them."""
        return self.agents[0]

    @property
    def header(self) -> str:
        """Value of `x-plano-decision`."""
        return f"{self.rung}; {self.reason}" if self.reason else self.rung


@dataclass(frozen=True, slots=True)
class Match:
    """The matching candidates, the deciding rung, and the reason."""

    names: tuple[str, ...]
    """In the order in which they should run; at least one."""
    rung: MatchRung
    reason: str

    @property
    def name(self) -> str:
        """The first of them."""
        return self.names[0]


@dataclass(frozen=True, slots=True)
class NoMatch:
    """No candidate matches, or all rungs failed."""

    reason: str


async def choose_agent(
    agents: AgentPool,
    conversation: Conversation,
    *,
    egress: Egress,
    orchestrator: Orchestrator | None,
    headers: Mapping[str, str],
    semantic: SemanticRung | None = None,
    memory: DecisionMemory | None = None,
) -> Decision:
    """Choose the agents; the trace context in `headers` is sent to the orchestrator. Never raises."""
    if len(agents.ids) == 1:
        return Decision(agents.ids, "only_agent", "")
    match = await find_match(
        agents, conversation, egress=egress, orchestrator=orchestrator, headers=headers, semantic=semantic, memory=memory
    )
    if isinstance(match, NoMatch):
        return _fallback(agents, match.reason)
    return Decision(match.names, match.rung, safe_reason(match.reason))


async def find_match(
    pool: AgentPool,
    conversation: Conversation,
    *,
    egress: Egress,
    orchestrator: Orchestrator | None,
    headers: Mapping[str, str],
    semantic: SemanticRung | None = None,
    memory: DecisionMemory | None = None,
) -> Match | NoMatch:
    """Find the matching candidates of `pool`: tries the rungs from the top, until one decides. Never raises."""
    if not conversation:
        return NoMatch("nothing was said")
    why_not = ""
    if orchestrator is not None:
        try:
            named = await _orchestrated(orchestrator, pool, conversation, egress, headers, memory or DecisionMemory())
        except OrchestratorFailed as failure:
            why_not = str(failure)
        else:
            # As in Plano: an orchestrator that finds nothing is not overruled by matching words.
            return Match(named.names, "orchestrator", named.reason) if named.names else NoMatch(named.reason)
    if semantic is None or (sure := pool.router.sure(conversation)) is not None:
        return _matched(pool.router.choose(conversation) if semantic is None else sure, why_not)
    try:
        meant = await semantic.choose(pool, conversation, egress=egress, headers=headers)
    except SemanticRungFailed as failure:
        return _matched(pool.router.choose(conversation), _joined(why_not, str(failure)))
    reason = _joined(why_not, meant.reason)
    return Match(meant.names, "semantic", reason) if meant.names else NoMatch(reason)


def _matched(choice: Choice | None, why_not: str) -> Match | NoMatch:
    if choice is None:
        return NoMatch(_joined(why_not, "nothing matched"))
    terms = ", ".join(f'"{term}"' for term in choice.terms)
    return Match((choice.agent,), "built_in_router", _joined(why_not, f"matched {terms}"))


async def _orchestrated(
    orchestrator: Orchestrator,
    pool: AgentPool,
    conversation: Conversation,
    egress: Egress,
    headers: Mapping[str, str],
    memory: DecisionMemory,
) -> Named:
    """Ask the orchestrator, unless the decision is cached."""
    known = memory.recall(orchestrator, pool, conversation)
    if known is not None:
        return known
    told = memory.with_names(orchestrator, pool, conversation) if orchestrator.tells_earlier else conversation
    named = await ask_orchestrator(orchestrator, pool, told, egress=egress, headers=headers)
    memory.remember(orchestrator, pool, conversation, named)
    return named


def _fallback(agents: AgentPool, reason: str) -> Decision:
    if agents.default is not None:
        return Decision((agents.default,), "default_agent", safe_reason(reason))
    return Decision(agents.ids[:1], "first_agent", safe_reason(reason))


def _joined(*reasons: str) -> str:
    return "; ".join(reason for reason in reasons if reason)


def safe_reason(text: str) -> str:
    """Make `text` safe for a header: visible ASCII and spaces, bounded."""
    safe = _UNSAFE.sub("?", text)
    return safe if len(safe) <= MAX_REASON else f"{safe[: MAX_REASON - 3]}..."
