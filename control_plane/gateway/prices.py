"""`model_prices` -> what Envoy and ext_proc price answers by: every rate of every tier, none left to be worked out."""

from collections.abc import Iterator

from control_plane.config.lookup import ModelNames
from control_plane.config.model import ModelPrice, PlanoConfig, Rates
from protos import filter_config_pb2 as pb


def build_prices(config: PlanoConfig) -> list[pb.ModelPrice]:
    """Build the prices of models, sorted by the names that answers have."""
    models = ModelNames(config)
    prices = (
        pb.ModelPrice(model=models.full_name(name), tiers=_tiers(price))
        for name, price in config.model_prices.items()
        if models.find(name) is not None
    )
    return sorted(prices, key=lambda price: price.model)


def _tiers(price: ModelPrice) -> Iterator[pb.PriceTier]:
    yield _tier(price, 0)
    for tier in price.tiers:
        yield _tier(tier, tier.above_tokens)


def _tier(rates: Rates, above_tokens: int) -> pb.PriceTier:
    return pb.PriceTier(
        above_tokens=above_tokens,
        input=rates.input,
        cached_input=rates.input if rates.cached_input is None else rates.cached_input,
        cache_write=rates.input if rates.cache_write is None else rates.cache_write,
        output=rates.output,
        reasoning=rates.output if rates.reasoning is None else rates.reasoning,
    )
