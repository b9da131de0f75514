"""What an answer costs: the prices of its model, and the tokens that it has used."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass

from ext_proc.apis.usage import Usage


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Prices in US dollars per million tokens, for requests with more tokens of input than `above_tokens`."""

    above_tokens: int = 0
    input: float
    cached_input: float
    cache_write: float
    output: float
    reasoning: float

    def cost(self, usage: Usage) -> float:
        """Return the dollars that an exchange costs."""
        fresh = max(0, usage.input_tokens - usage.cached_input_tokens - usage.cache_write_tokens)
        spoken = max(0, usage.output_tokens - usage.reasoning_tokens)
        millionths = (
            fresh * self.input
            + usage.cached_input_tokens * self.cached_input
            + usage.cache_write_tokens * self.cache_write
            + spoken * self.output
            + usage.reasoning_tokens * self.reasoning
        )
        return millionths / 1_000_000


@dataclass(frozen=True, slots=True)
class ModelPrice:
    """What the tokens of one model cost."""

    tiers: tuple[Rates, ...]
    """By rising `above_tokens`, of which the first is 0."""

    def rates(self, input_tokens: int) -> Rates:
        """Return the prices of a request with so much input."""
        return self.tiers[max(0, bisect_left(self.tiers, input_tokens, key=lambda tier: tier.above_tokens) - 1)]

    def cost(self, usage: Usage) -> float:
        """Return the dollars that an exchange costs."""
        return self.rates(usage.input_tokens).cost(usage)


Prices = Mapping[str, ModelPrice]
"""By the full names of models, or `provider/*`."""


def price_of(prices: Prices, model: str, entry: str) -> ModelPrice | None:
    """Return what a model costs, by its full name or by its entry's; None if nobody has said."""
    return prices.get(model) or prices.get(entry)


def dollars(cost: float) -> str:
    """Write a cost: all of nine decimals that are there."""
    return f"{cost:.9f}".rstrip("0").rstrip(".")
