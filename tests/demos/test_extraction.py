import json
from datetime import date

import pytest

from demos.travel_booking.agents import prompts
from demos.travel_booking.stand_in_provider.extraction import extract

TODAY = date(2026, 3, 1)

# The examples of the prompts and of the guide that the demo follows.
LOCATIONS = [
    (["What's the weather in London?"], "London"),
    (["What's the weather in New York today?"], "New York"),
    (["Flights from Seattle to Atlanta, and show me the weather there"], "Atlanta"),
    (["What's the weather in Seattle, and what is one flight that goes direct to Atlanta?"], "Seattle"),
    (["Are there flights to Atlanta?", "what's the weather like there?"], "Atlanta"),
    (["I'm going to Seattle"], "Seattle"),
    (["What's happening?"], "NOT_FOUND"),
    (["What's the weather in London?", "Write me a haiku about databases"], "NOT_FOUND"),
    (["What's the weather in London?", "And the forecast?"], "London"),
]
ROUTES = [
    (["Flight from Seattle to Atlanta tomorrow"], ("Seattle", "Atlanta", "2026-03-02")),
    (["What flights go to New York?"], (None, "New York", None)),
    (["What's the weather in Istanbul?", "Do they fly out from Seattle?"], ("Seattle", "Istanbul", None)),
    (["What's the weather in London?", "Any flights to Seattle on 2026-03-02?"], ("London", "Seattle", "2026-03-02")),
    (["Do they fly out from Seattle?"], ("Seattle", None, None)),
    (["Hello"], (None, None, None)),
]
CURRENCIES = [
    (["How much is 100 USD in EUR?"], (100, "USD", "EUR")),
    (["Convert 1,250.50 pounds to yen"], (1250.5, "GBP", "JPY")),
    (["How many euros are 20 dollars?"], (20, "USD", "EUR")),
    (["What's the exchange rate from USD to GBP?"], (None, "USD", "GBP")),
    (["What's the weather in Istanbul?", "How much is 50 EUR in their currency?"], (50, "EUR", "TRY")),
    (["How much is that in USD?"], (None, "USD", None)),
    (["Hello"], (None, None, None)),
]


@pytest.mark.parametrize(("users", "expected"), LOCATIONS)
def test_location(users: list[str], expected: str) -> None:
    assert extract(prompts.LOCATION, users) == expected


@pytest.mark.parametrize(("users", "expected"), ROUTES)
def test_route(users: list[str], expected: tuple[str | None, ...]) -> None:
    found = json.loads(extract(prompts.route(TODAY), users) or "")
    assert (found["origin"], found["destination"], found["date"]) == expected


@pytest.mark.parametrize(("users", "expected"), CURRENCIES)
def test_currency(users: list[str], expected: tuple[object, ...]) -> None:
    found = json.loads(extract(prompts.CURRENCY, users) or "")
    assert (found["amount"], found["from"], found["to"]) == expected


@pytest.mark.parametrize(("city", "expected"), [("Seattle", "SEA"), ("new york", "JFK"), ("Atlantis", "NOT_FOUND")])
def test_airport(city: str, expected: str) -> None:
    assert extract(prompts.AIRPORT, [city]) == expected


def test_other_prompts_are_not_extractions() -> None:
    assert extract(prompts.WEATHER_ANSWER, ["What's the weather in London?"]) is None
