"""Agents as one listener offers them, and the model that chooses among them."""

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
    """An agent as one listener offers it."""

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
    """The model that chooses agents, and how it is reached."""

    model: str
    """Its configured name."""
    upstream_model: str
    """What its provider is sent."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """At the provider, `{model}` already replaced."""
    timeout_seconds: float
    context_length: int
    """Budget of the prompt, in tokens (estimated as bytes / 4)."""
    api: str = "chat_completions"
    """How it is asked; decision models by `decisions` or `systemone`."""
    threshold: float = 0.5
    """Probability from which on an agent fits, if it is a decision model."""
    cache_seconds: float = 0.0
    """How long the same question is not asked again; 0: it always is."""
    tells_earlier: bool = False
    """Whether it sees who answered earlier in the conversation."""
