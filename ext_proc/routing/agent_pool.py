"""The agents of one listener, compiled once per configuration for the decisions that every request needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


class Candidate(Protocol):
    """An agent that can be chosen, such as `runtime.Agent`."""

    @property
    def id(self) -> str:
        """Name that the orchestrator answers with."""
        ...

    @property
    def description(self) -> str:
        """What it is good at."""
        ...

    @property
    def is_default(self) -> bool:
        """Whether it answers when nothing else fits."""
        ...


@dataclass(frozen=True, slots=True)
class AgentPool:
    """Candidates in declared order, with what was computed from them."""

    ids: tuple[str, ...]


def compile_agents(candidates: Sequence[Candidate]) -> AgentPool:
    """Compile a listener's agents. Takes milliseconds for a thousand: do it when the configuration changes."""
    return AgentPool(tuple(candidate.id for candidate in candidates))
