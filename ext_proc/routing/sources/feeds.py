"""Parses the answers of price and latency sources.

Invalid entries are skipped; an answer without valid ones is an error.

models.dev: https://models.dev/api.json - {provider: {"models": {id: {"cost": {"input", "output", "cache_read"}}}}}, dollars per
million tokens.
DigitalOcean: /v2/gen-ai/models/catalog - {"data": [{"model_id", "pricing": {"input_price_per_million", ...}}]}, dollars per
token, whatever the names of the fields say.
Prometheus: /api/v1/query - {"status": "success", "data": {"result": [{"metric": {"model_name"}, "value": [time, "number"]}]}}.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import orjson

from ext_proc.routing.models.measures import Price

LABEL: Final = "model_name"
"""Label of a latency query's result that names the model."""

_TOKENS: Final = 1_000_000
_HIGHEST: Final = 1_000_000.0
"""Dollars per million tokens beyond which a price is a mistake."""
_CACHED: Final = ("cache_read_input_price_per_million", "input_cache_read")


class UnreadableFeed(Exception):
    """There is no valid entry; the message is a constant phrase."""


def read_prices(feed: str, body: bytes, aliases: Mapping[str, str]) -> dict[str, Price]:
    """Read a catalogue of prices by its names of models; `aliases` maps these to names of models.

    Raises:
        UnreadableFeed: it has no valid price.
    """
    value = _parse(body)
    found = dict(_PRICES[feed](value))
    if not found:
        raise UnreadableFeed("no prices in it")
    return found | {model: price for name, model in aliases.items() if (price := _named(found, name)) is not None}


def _named(found: Mapping[str, Price], name: str) -> Price | None:
    """Look up a name of the catalogue, with its provider or without."""
    return found.get(name) or next((price for full, price in found.items() if full.endswith(f"/{name}")), None)


def read_latencies(body: bytes) -> dict[str, float]:
    """Read the answer to a query.

    Raises:
        UnreadableFeed: it has no valid latency.
    """
    value = _parse(body)
    found: dict[str, float] = {}
    for entry in _entries(_at(_at(value, "data"), "result")):
        name, pair = _at(_at(entry, "metric"), LABEL), _at(entry, "value")
        number = _number(pair[1]) if isinstance(pair, list) and len(pair) == 2 else None
        if isinstance(name, str) and name and number is not None:
            found[name] = number
    if not found:
        raise UnreadableFeed("no latencies in it")
    return found


def _models_dev(value: object) -> Iterator[tuple[str, Price]]:
    for provider, entry in _items(value):
        for model, facts in _items(_at(entry, "models")):
            cost = _at(facts, "cost")
            price = _price(_at(cost, "input"), _at(cost, "output"), _at(cost, "cache_read"))
            if price is not None:
                yield f"{provider}/{model}", price


def _digitalocean(value: object) -> Iterator[tuple[str, Price]]:
    for entry in _entries(_at(value, "data") or _at(value, "models") or value):
        name, pricing = _at(entry, "model_id"), _at(entry, "pricing")
        cached = next((_at(pricing, field) for field in _CACHED if _at(pricing, field) is not None), None)
        given = (_at(pricing, "input_price_per_million"), _at(pricing, "output_price_per_million"), cached)
        price = _price(*given, factor=_TOKENS)
        if isinstance(name, str) and name and price is not None:
            yield name, price


_PRICES: Final[Mapping[str, Callable[[object], Iterator[tuple[str, Price]]]]] = {
    "models.dev": _models_dev,
    "digitalocean": _digitalocean,
}


def _price(input_: object, output: object, cached: object, *, factor: float = 1) -> Price | None:
    """Return a price; None if it is incomplete, implausible, or 0, which means that it is not set yet."""
    fresh, said = _number(input_), _number(output)
    if fresh is None or said is None or not 0 < (fresh + said) * factor <= _HIGHEST:
        return None
    read = _number(cached)
    return Price(fresh * factor, said * factor, None if read is None else read * factor)


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) and number >= 0 else None


def _parse(body: bytes) -> object:
    try:
        value: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadableFeed("not JSON") from None
    return value


def _at(value: object, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _items(value: object) -> list[tuple[str, Any]]:
    return list(value.items()) if isinstance(value, dict) else []


def _entries(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
