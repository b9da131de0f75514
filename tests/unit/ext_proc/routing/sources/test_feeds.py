"""Feeds of prices and latencies: as they are, as they must not break anything, and how models are found in them."""

import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.routing.models.measures import Known, Measures, Price
from ext_proc.routing.models.model import Model
from ext_proc.routing.models.resolve import ResolvedModel
from ext_proc.routing.sources.feeds import UnreadableFeed, read_latencies, read_prices

MODELS_DEV = {
    "openai": {
        "id": "openai",
        "models": {
            "gpt-4o": {"id": "gpt-4o", "cost": {"input": 2.5, "output": 10, "cache_read": 1.25}},
            "text-embedding-3-small": {"id": "text-embedding-3-small", "cost": {"input": 0.02, "output": 0}},
        },
    },
    "github-models": {"models": {"openai/gpt-4o": {"cost": {"input": 0, "output": 0}}}},
    "azure": {"models": {"gpt-4o": {"cost": {"input": 2.5, "output": 10}}, "odd": {"cost": {"input": -1, "output": 1}}}},
    "anthropic": {"models": {"claude-sonnet-4-5-20250929": {"cost": {"input": 3, "output": 15, "cache_read": 0.3}}}},
    "reseller": {"models": {"gpt-4o": {"cost": {"input": 5, "output": 20}}, "free": {}}},
    "broken": [1],
}
DIGITALOCEAN = {
    "data": [
        {
            "model_id": "anthropic-claude-4.5-sonnet",
            "pricing": {
                "input_price_per_million": 0.000003,
                "output_price_per_million": 0.000015,
                "cache_read_input_price_per_million": 0.0000003,
            },
        },
        {
            "model_id": "llama3.3-70b-instruct",
            "pricing": {"input_price_per_million": "0.00000065", "output_price_per_million": 6.5e-7},
        },
        {"model_id": "not-priced"},
        {"pricing": {"input_price_per_million": 1}},
    ]
}


def prices(feed: str, value: object, **aliases: str) -> Measures:
    return Measures(prices=Known(read_prices(feed, orjson.dumps(value), aliases)))


def model(name: str, *, provider: str = "", upstream: str = "") -> ResolvedModel:
    provider, upstream = provider or name.partition("/")[0], upstream or name.partition("/")[2]
    return ResolvedModel(Model(name=name, upstream_model=upstream, provider=provider), upstream, "route")


@pytest.mark.parametrize(
    ("asked", "price"),
    [
        (model("openai/gpt-4o"), Price(2.5, 10, 1.25)),
        (model("our own name", provider="azure_openai", upstream="gpt-4o"), Price(2.5, 10)),
        (model("reseller/gpt-4o"), Price(5, 20)),
        (model("elsewhere/gpt-4o-2024-08-06"), Price(2.5, 10, 1.25)),
        (model("anthropic/claude-sonnet-4-5"), Price(3, 15, 0.3)),
        (model("openrouter/anthropic/claude-sonnet-4.5"), Price(3, 15, 0.3)),
        (model("openai/gpt-4o-mini"), None),
        (model("reseller/free"), None),
        (model("azure/odd"), None),
    ],
    ids=lambda value: value.name if isinstance(value, ResolvedModel) else "",
)
def test_models_are_found_in_the_catalogue_of_models_dev(asked: ResolvedModel, price: Price | None) -> None:
    assert prices("models.dev", MODELS_DEV).price(asked) == price


def test_digitalocean_says_dollars_per_token_in_words_of_its_own() -> None:
    told = prices("digitalocean", DIGITALOCEAN)
    claude = told.price(model("anthropic/claude-sonnet-4-5"))
    assert claude is not None
    assert (claude.input, claude.output, claude.cached_input) == pytest.approx((3, 15, 0.3))
    assert told.cost(model("digitalocean/llama3.3-70b-instruct")) == pytest.approx(1.3)
    assert told.cost(model("digitalocean/not-priced")) is None


def test_aliases_say_which_model_a_name_of_the_catalogue_means() -> None:
    aliases = {"gpt-4o": "azure_openai/mine", "anthropic/claude-sonnet-4-5-20250929": "x/claude", "nobody": "x/y"}
    told = Measures(prices=Known(read_prices("models.dev", orjson.dumps(MODELS_DEV), aliases)))
    assert told.price(model("azure_openai/mine")) == Price(2.5, 10, 1.25)
    assert told.cost(model("x/claude")) == 18
    assert told.cost(model("x/y")) is None


def sample(name: object, value: object) -> dict[str, Any]:
    return {"metric": {"model_name": name}, "value": [1435781451.781, value]}


def test_latencies_are_an_instant_vector_by_model() -> None:
    result = [
        sample("openai/gpt-4o", "0.35"),
        sample("claude", "1e-1"),
        sample("nan", "NaN"),
        sample("inf", "+Inf"),
        sample(1, "1"),
    ]
    body = orjson.dumps({"status": "success", "data": {"resultType": "vector", "result": [*result, {}, None]}})
    assert read_latencies(body) == {"openai/gpt-4o": 0.35, "claude": 0.1}


USELESS = [
    b"",
    b"<html>",
    b"null",
    b"{}",
    b'{"data":[]}',
    b'{"status":"error","error":"bad query"}',
    b'{"openai":{"models":{}}}',
]


@pytest.mark.parametrize("body", USELESS)
def test_an_answer_without_anything_in_it_is_an_error(body: bytes) -> None:
    for feed in ("models.dev", "digitalocean"):
        with pytest.raises(UnreadableFeed):
            read_prices(feed, body, {})
    with pytest.raises(UnreadableFeed):
        read_latencies(body)


SCALARS = (
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=4) | st.sampled_from(["1", "nan", "-1", "1e999"])
)
FIELDS = (
    "model_id",
    "pricing",
    "result",
    "metric",
    "value",
    "model_name",
    "input_price_per_million",
    "output_price_per_million",
)
WORDS = st.sampled_from(("data", "models", "cost", "input", "output", "cache_read", *FIELDS))
ANYTHING = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=4), max_leaves=20
)


@given(ANYTHING | st.dictionaries(WORDS, st.dictionaries(WORDS, st.dictionaries(WORDS, st.dictionaries(WORDS, SCALARS)))))
def test_anything_gives_sensible_numbers_or_an_error(value: object) -> None:
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS) if _is_encodable(value) else b"?"
    for feed in ("models.dev", "digitalocean"):
        try:
            found = read_prices(feed, body, {"a": "b"})
        except UnreadableFeed:
            continue
        assert all(0 < price.total <= 1_000_000 and price.input >= 0 and price.output >= 0 for price in found.values())
        assert all(Known(found).find(model(name)) is not None for name in found)


@given(st.lists(st.tuples(SCALARS, SCALARS)))
def test_any_samples_give_sensible_numbers_or_an_error(samples: list[tuple[Any, Any]]) -> None:
    result = [sample(name, value) for name, value in samples if _is_encodable((name, value))]
    try:
        found = read_latencies(orjson.dumps({"data": {"result": result}}))
    except UnreadableFeed:
        return
    assert all(math.isfinite(value) and value >= 0 for value in found.values())


@given(st.binary())
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for read in (lambda: read_prices("models.dev", body, {}), lambda: read_latencies(body)):
        try:
            read()
        except UnreadableFeed:
            continue


def _is_encodable(value: object) -> bool:
    try:
        orjson.dumps(value)
    except (orjson.JSONEncodeError, TypeError):
        return False
    return True
