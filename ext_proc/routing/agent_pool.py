"""The agents of one listener, compiled once per configuration for the decisions that every request needs."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Candidate:
    """An agent that can be chosen."""

    id: str
    description: str
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class AgentPool:
    """Candidates in declared order, with what was computed from them."""

    candidates: tuple[Candidate, ...]


def compile_agents(candidates: Sequence[Candidate]) -> AgentPool:
    """Compile a listener's agents. Takes milliseconds for a thousand: do it when the configuration changes."""
    return AgentPool(tuple(candidates))
