"""Prices by tier and by kind of token."""

import pytest

from ext_proc.apis.usage import Usage
from ext_proc.routing.models.prices import ModelPrice, Rates, dollars, price_of

BASE = Rates(input=2, cached_input=1, cache_write=3, output=10, reasoning=20)
LONG = Rates(above_tokens=100, input=4, cached_input=2, cache_write=6, output=20, reasoning=40)
LONGEST = Rates(above_tokens=1000, input=8, cached_input=4, cache_write=12, output=40, reasoning=80)
PRICE = ModelPrice((BASE, LONG, LONGEST))


@pytest.mark.parametrize(
    ("tokens", "rates"), [(0, BASE), (1, BASE), (100, BASE), (101, LONG), (1000, LONG), (1001, LONGEST), (10**9, LONGEST)]
)
def test_all_tokens_of_a_request_have_the_prices_of_its_tier(tokens: int, rates: Rates) -> None:
    assert PRICE.rates(tokens) is rates


def test_each_kind_of_token_has_its_price() -> None:
    usage = Usage(input_tokens=100, cached_input_tokens=60, cache_write_tokens=10, output_tokens=20, reasoning_tokens=5)
    assert PRICE.cost(usage) == pytest.approx((30 * 2 + 60 * 1 + 10 * 3 + 15 * 10 + 5 * 20) / 1e6)


def test_tokens_that_are_counted_twice_are_not_subtracted_twice() -> None:
    usage = Usage(input_tokens=10, cached_input_tokens=10, cache_write_tokens=10, output_tokens=3, reasoning_tokens=5)
    assert PRICE.cost(usage) == pytest.approx((10 * 1 + 10 * 3 + 5 * 20) / 1e6)


def test_a_model_is_priced_before_its_entry() -> None:
    one, other = ModelPrice((BASE,)), ModelPrice((LONG,))
    assert price_of({"a/*": one, "a/b": other}, "a/b", "a/*") is other
    assert price_of({"a/*": one, "a/b": other}, "a/c", "a/*") is one
    assert price_of({}, "a/c", "a/*") is None


@pytest.mark.parametrize(("cost", "text"), [(0.0, "0"), (0.00001525, "0.00001525"), (12.5, "12.5"), (3.0, "3")])
def test_dollars_are_written_without_exponents(cost: float, text: str) -> None:
    assert dollars(cost) == text
