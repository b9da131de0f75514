"""What is known of models: prices and latencies, as their sources have told last."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Price:
    """In US dollars per million tokens."""

    input: float
    output: float
    cached_input: float | None = None
    """Input that the provider has in its cache; None if the source does not say."""


@dataclass(slots=True)
class Measures:
    """Looked up by the full name of a model; replaced as a whole whenever a source has something new."""

    prices: Mapping[str, Price] = field(default_factory=dict)
    latencies: Mapping[str, float] = field(default_factory=dict)

    def cost(self, model: str) -> float | None:
        """Return what models are compared by: the price of input and output together."""
        price = self.prices.get(model)
        return None if price is None else price.input + price.output

    def latency(self, model: str) -> float | None:
        """Return what the latency source says, in whatever unit its query has."""
        return self.latencies.get(model)
