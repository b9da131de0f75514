"""`model_prices`: prices of models that are there, each once, and tiers that rise."""

from collections.abc import Iterator

from control_plane.config.check.finding import Finding, warning
from control_plane.config.lookup import ModelNames
from control_plane.config.model import ModelPrice, PlanoConfig
from control_plane.config.suggest import suggest


def check_prices(config: PlanoConfig) -> Iterator[Finding]:
    """Find prices of what is no model, two prices of one model, models without any, and tiers out of order."""
    models = ModelNames(config)
    priced: dict[str, str] = {}
    for name, price in config.model_prices.items():
        if models.find(name) is None:
            message = f"no model is called `{name}`{suggest(name, models.names())}"
            yield warning(("model_prices", name), "unknown-model", message)
        other = priced.setdefault(models.full_name(name), name)
        if other != name:
            yield Finding(("model_prices", name), "duplicate-price", f"`{other}` is the same model, and has a price already")
        yield from _tiers(name, price)
    for index, provider in enumerate(config.model_providers if priced else ()):
        if not provider.is_wildcard and not {provider.name or provider.model, f"{provider.provider}/*"} & {*priced}:
            message = "has no price: what its answers cost is in no log and no sum"
            yield warning(("model_providers", index, "model"), "no-price", message)


def _tiers(name: str, price: ModelPrice) -> Iterator[Finding]:
    previous = 0
    for place, tier in enumerate(price.tiers):
        if tier.above_tokens <= previous:
            message = f"should be more than the {previous} of the tier before it"
            yield Finding(("model_prices", name, "tiers", place, "above_tokens"), "tiers-out-of-order", message)
        previous = tier.above_tokens
