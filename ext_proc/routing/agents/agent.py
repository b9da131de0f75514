"""Agents of a listener, and the orchestrator."""

from dataclasses import dataclass
from typing import Final

from ext_proc.filters.filter import Filter

CHAT_ONLY: Final = ("chat_completions",)
"""APIs of an agent that says nothing else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """When another agent answers instead."""

    agent: "Agent"
    weight: int = 0
    """Percent of conversations."""
    header: str = ""
    """In lower case; empty: no header leads there."""
    value: str = ""
    """Empty: any value does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """An agent of a listener."""

    id: str
    description: str
    route: str
    is_default: bool = False
    input_filters: tuple[Filter, ...] = ()
    variants: tuple[Variant, ...] = ()
    apis: tuple[str, ...] = CHAT_ONLY
    """That it speaks, the best first."""

    def api_for(self, client_api: str) -> str:
        """Return the API that it is sent for a client of one."""
        return client_api if client_api in self.apis else self.apis[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """The model that chooses agents, and its route."""

    model: str
    """Its configured name."""
    upstream_model: str
    """Its upstream name."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """At the provider, `{model}` already replaced."""
    timeout_seconds: float
    context_length: int
    """Budget of the prompt, in tokens (estimated as bytes / 4)."""
    api: str = "chat_completions"
    """Its API; decision models have `decisions` or `systemone`."""
    threshold: float = 0.5
    """Minimum probability of an agent, for decision models."""
    cache_seconds: float = 0.0
    """How long decisions are cached; 0: not at all."""
    tells_earlier: bool = False
    """Whether it receives the agents of earlier answers."""
