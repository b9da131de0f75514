"""Each external client against the recorded APIs, where the agents do not show it."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import httpx
import pytest

from demos.travel_booking.apis.aeroapi import AeroApi
from demos.travel_booking.apis.frankfurter import Frankfurter
from demos.travel_booking.apis.open_meteo import OpenMeteo, Place
from demos.travel_booking.apis.problem import Problem
from demos.travel_booking.recorded_apis import RECORDED, recorded

TODAY = datetime.now(UTC).date()


async def test_place_and_forecast(recorded_apis: str) -> None:
    async with httpx.AsyncClient() as http:
        open_meteo = OpenMeteo(http, recorded_apis, recorded_apis)
        place = await open_meteo.find_place("Paris, France")
        weather = await open_meteo.forecast(place, 3)
        with pytest.raises(Problem, match="status 400"):
            await open_meteo.forecast(Place("Nowhere", "", 0.0, 0.0), 1)
    assert place == Place("Paris", "France", 48.85341, 2.3488)
    assert [day["date"] for day in weather["forecast"]] == [str(TODAY + timedelta(days=number)) for number in range(3)]
    assert weather["current"]["temperature_f"] == 49.6


async def test_flights(recorded_apis: str) -> None:
    async with httpx.AsyncClient() as http:
        aeroapi = AeroApi(http, recorded_apis, "any")
        tomorrow = await aeroapi.flights("LHR", "SEA", TODAY + timedelta(days=1), today=TODAY)
        none = await aeroapi.flights("LHR", "CDG", TODAY, today=TODAY)
    assert tomorrow["flights"][0]["scheduled_departure"] == f"{TODAY + timedelta(days=1)}T13:55:00Z"
    assert none == {"flights": []}


@pytest.mark.parametrize(
    ("amount", "pair", "converted"),
    [("1", ("EUR", "USD"), "1.16"), ("0.10", ("USD", "JPY"), "15.66"), ("1000000", ("GBP", "CHF"), "1058900.00")],
)
async def test_conversion_is_exact(recorded_apis: str, amount: str, pair: tuple[str, str], converted: str) -> None:
    async with httpx.AsyncClient() as http:
        assert (await Frankfurter(http, recorded_apis).convert(Decimal(amount), *pair))["converted"] == converted


@pytest.mark.parametrize(("pair", "reason"), [(("EUR", "EUR"), "nothing to convert"), (("XXX", "EUR"), "no exchange rate")])
async def test_no_conversion(recorded_apis: str, pair: tuple[str, str], reason: str) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(Problem, match=reason):
            await Frankfurter(http, recorded_apis).convert(Decimal(1), *pair)


@pytest.mark.parametrize("name", sorted(RECORDED))
def test_recordings_move_to_the_day_asked_for(name: str) -> None:
    text = str(recorded(name, date(2026, 3, 1)))
    assert "{day" not in text
    assert name.startswith("open_meteo/search") or "2026-03-01" in text
