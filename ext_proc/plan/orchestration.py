"""The settings of `listeners[].orchestration`."""

from dataclasses import dataclass
from enum import StrEnum

from ext_proc.routing.agents.agent import Agent, Orchestrator


class Mode(StrEnum):
    """The mode of orchestration."""

    SEQUENCE = "sequence"
    """One after the other; each sees the answers before its own."""
    PARALLEL = "parallel"
    """All at once, each sees the question alone."""
    FIRST = "first"
    """All at once; who answers first wins, the others are cancelled."""
    LOOP = "loop"
    """One drafts, an evaluator judges, until the draft passes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestration:
    """Settings of one listener."""

    mode: Mode = Mode.SEQUENCE
    shows_all: bool = True
    """Whether clients get every agent's part, or the last one's alone."""
    stops_on_failure: bool = True
    """Whether the answer ends when an agent fails, or continues with a note."""
    labels: bool = True
    """Whether each part begins with its agent's name, for people."""
    max_agents: int = 5
    role: Agent | Orchestrator | None = None
    """The synthesizer (parallel) or the evaluator (loop)."""
    max_rounds: int = 3
    """Loop: maximum of drafts."""
    route: str = ""
    """Envoy's route of requests that several agents answer."""

    def needs(self, agents: int, choices: int) -> bool:
        """Whether the named `agents` answer together, if the client requests `choices` answers.

        Alternative answers (`n`) of several agents could not be distinguished, so one agent answers.
        """
        return choices == 1 and (self.mode is Mode.LOOP or min(agents, self.max_agents) > 1)
