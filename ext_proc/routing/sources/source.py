"""Settings of price and latency sources."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class SourceKind(StrEnum):
    """The kind of a source."""

    COST = "cost"
    LATENCY = "latency"


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A source of prices or latencies."""

    kind: SourceKind
    feed: str
    """Format of its answer: `models.dev`, `digitalocean` or `prometheus`."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    path: str
    """With its query."""
    interval_seconds: float = 0.0
    """Seconds between polls; 0: polled until the first success."""
    aliases: Mapping[str, str] = field(default_factory=dict)
    """Names of a catalogue -> names of models."""

    @property
    def policy(self) -> str:
        """The selection policy that needs it."""
        return "cheapest" if self.kind is SourceKind.COST else "fastest"
