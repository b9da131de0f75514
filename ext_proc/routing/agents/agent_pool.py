"""The agents of one listener, compiled once per configuration for decisions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ext_proc.routing.agents.built_in_router import BuiltInRouter
from ext_proc.routing.agents.orchestrator_prompt import render_routes


class Candidate(Protocol):
    """An agent that can be chosen, such as `runtime.Agent`."""

    @property
    def id(self) -> str:
        """Name that the orchestrator answers with."""
        ...

    @property
    def description(self) -> str:
        """Its description."""
        ...

    @property
    def is_default(self) -> bool:
        """Whether it answers if no other matches."""
        ...


@dataclass(frozen=True, slots=True)
class AgentPool:
    """Candidates in declared order, with precomputed data."""

    ids: tuple[str, ...]
    described: tuple[tuple[str, str], ...]
    """(id, description) of each."""
    known: frozenset[str]
    default: str | None
    """Id of the default agent, if there is one."""
    routes: str
    """The orchestrator prompt's list of routes."""
    router: BuiltInRouter


def compile_agents(candidates: Sequence[Candidate]) -> AgentPool:
    """Compile a listener's agents. Takes a third of a second for a thousand: do it when the configuration changes."""
    described = tuple((candidate.id, candidate.description) for candidate in candidates)
    ids = tuple(candidate.id for candidate in candidates)
    return AgentPool(
        ids=ids,
        described=described,
        known=frozenset(ids),
        default=next((candidate.id for candidate in candidates if candidate.is_default), None),
        routes=render_routes(described),
        router=BuiltInRouter(described),
    )
