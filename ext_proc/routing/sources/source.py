"""Where prices and latencies of models come from."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SourceKind(StrEnum):
    """What a source tells."""

    COST = "cost"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who tells prices or latencies of models."""

    kind: SourceKind
    feed: str
    """Format of its answer: `models.dev`, `digitalocean` or `prometheus`."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """With its query."""
    interval_seconds: float = 0.0
    """Between questions; 0 asks until it has answered once."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names of a catalogue -> names of models."""

    @property
    def policy(self) -> str:
        """The way of ranking models that it is needed for."""
        return "cheapest" if self.kind is SourceKind.COST else "fastest"
