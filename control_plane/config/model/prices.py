"""`model_prices`: what the tokens of a model cost."""

from typing import Annotated

from pydantic import Field

from control_plane.config.model.types import Default, Section

Dollars = Annotated[float, Field(ge=0, le=1_000_000, allow_inf_nan=False)]


class Rates(Section):
    """Prices in US dollars per million tokens."""

    input: Dollars
    """Input that no cache is concerned with, in dollars per million tokens, as all prices here."""
    output: Dollars
    """Output."""
    cached_input: Annotated[Dollars | None, Default("that of `input`")] = None
    """Input that is read from the provider's cache."""
    cache_write: Annotated[Dollars | None, Default("that of `input`")] = None
    """Input that is written to the provider's cache."""
    reasoning: Annotated[Dollars | None, Default("that of `output`")] = None
    """Output that is reasoning."""


class PriceTier(Rates):
    """What all tokens of a request with a long input cost."""

    above_tokens: Annotated[int, Field(ge=1)]
    """Tokens of input, cached ones included, above which a request has these prices."""


class ModelPrice(Rates):
    """What the tokens of one model cost."""

    tiers: Annotated[tuple[PriceTier, ...], Field(max_length=3)] = ()
    """Prices of requests with long inputs, by rising `above_tokens`."""
