"""Weather from Open-Meteo: a place's coordinates, then its forecast. Free, no key.

https://open-meteo.com/en/docs and https://open-meteo.com/en/docs/geocoding-api
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import httpx

from demos.travel_booking.apis.http import JsonObject, get_json
from demos.travel_booking.apis.problem import Problem

API = "Open-Meteo"
MAX_DAYS = 16
DAILY = ("weather_code", "temperature_2m_max", "temperature_2m_min", "sunrise", "sunset")


@dataclass(frozen=True, slots=True)
class Place:
    """A geocoded place."""

    name: str
    country: str
    latitude: float
    longitude: float


@dataclass(frozen=True, slots=True)
class OpenMeteo:
    """Open-Meteo's two services."""

    http: httpx.AsyncClient
    geocoding_url: str
    forecast_url: str

    async def find_place(self, name: str) -> Place:
        """Geocode a place's name; the first match is the most populous one."""
        params = {"name": name, "count": "1", "language": "en", "format": "json"}
        body = await get_json(self.http, API, f"{self.geocoding_url}/v1/search", params=params)
        # "results" is absent, not empty, when nothing matches.
        matches = (body or {}).get("results") or []
        if not matches:
            raise Problem(f"Open-Meteo knows no place called {name}.")
        try:
            match = matches[0]
            return Place(match["name"], match.get("country", ""), float(match["latitude"]), float(match["longitude"]))
        except (KeyError, TypeError, ValueError) as error:
            raise Problem(f"Open-Meteo's answer about {name} could not be read.") from error

    async def forecast(self, place: Place, days: int) -> JsonObject:
        """Return current conditions and `days` days of forecast, today included."""
        params = {
            "latitude": str(place.latitude),
            "longitude": str(place.longitude),
            "current": "temperature_2m,weather_code",
            "daily": ",".join(DAILY),
            "forecast_days": str(max(1, min(days, MAX_DAYS))),
            "timezone": "auto",
        }
        body = await get_json(self.http, API, f"{self.forecast_url}/v1/forecast", params=params)
        try:
            return _summary(place, body or {})
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise Problem(f"Open-Meteo's forecast for {place.name} could not be read.") from error


def _summary(place: Place, body: Mapping[str, Any]) -> JsonObject:
    current, daily = body["current"], body["daily"]
    return {
        "location": place.name,
        "country": place.country,
        "current": {
            "time": current["time"],
            "weather_code": current["weather_code"],
            **_both("temperature", current["temperature_2m"]),
        },
        "forecast": [_day(daily, index) for index in range(len(daily["time"]))],
    }


def _day(daily: Mapping[str, Sequence[Any]], index: int) -> JsonObject:
    return {
        "date": daily["time"][index],
        "day_name": date.fromisoformat(daily["time"][index]).strftime("%A"),
        "weather_code": daily["weather_code"][index],
        **_both("temperature_max", daily["temperature_2m_max"][index]),
        **_both("temperature_min", daily["temperature_2m_min"][index]),
        "sunrise": daily["sunrise"][index],
        "sunset": daily["sunset"][index],
    }


def _both(name: str, celsius: float | None) -> JsonObject:
    """Give a temperature in both units; Open-Meteo sends null where a model has no value."""
    return {f"{name}_c": celsius, f"{name}_f": None if celsius is None else round(celsius * 9 / 5 + 32, 1)}
