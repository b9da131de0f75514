"""Flights between two airports from FlightAware's AeroAPI v4. Needs a key.

https://www.flightaware.com/aeroapi/portal/documentation
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import httpx

from demos.travel_booking.apis.http import JsonObject, get_json
from demos.travel_booking.apis.problem import Problem

API = "FlightAware"
MAX_FLIGHTS = 5
DAYS_AHEAD = 2
"""AeroAPI serves flights up to two days in the future."""


@dataclass(frozen=True, slots=True)
class AeroApi:
    """AeroAPI's airport service."""

    http: httpx.AsyncClient
    url: str
    key: str | None

    async def flights(self, origin: str, destination: str, day: date, *, today: date) -> JsonObject:
        """Return up to five nonstop flights of one day between two airports (IATA codes)."""
        if day - today > timedelta(days=DAYS_AHEAD):
            raise Problem(f"FlightAware only knows flights up to {DAYS_AHEAD} days ahead, and {day} is later than that.")
        if not self.key:
            raise Problem("No FlightAware key is configured (AEROAPI_KEY), so flights cannot be looked up.")
        params = {
            "type": "Airline",
            "connection": "nonstop",
            "start": f"{day}T00:00:00Z",
            "end": f"{day}T23:59:59Z",
            "max_pages": "1",
        }
        url = f"{self.url}/airports/{origin}/flights/to/{destination}"
        body = await get_json(self.http, API, url, params=params, headers={"x-apikey": self.key})
        try:
            groups = (body or {}).get("flights") or []
            return {"flights": [_flight(group["segments"][0]) for group in groups[:MAX_FLIGHTS] if group.get("segments")]}
        except (AttributeError, KeyError, IndexError, TypeError) as error:
            raise Problem("FlightAware's answer could not be read.") from error


def _flight(segment: Mapping[str, Any]) -> JsonObject:
    """Keep what a traveller asks about; a field that AeroAPI does not know yet is null."""
    origin, destination = segment.get("origin") or {}, segment.get("destination") or {}
    return {
        "flight_number": segment.get("ident_iata") or segment.get("ident"),
        "airline": segment.get("operator"),
        "aircraft_type": segment.get("aircraft_type"),
        "status": segment.get("status"),
        "origin": origin.get("code_iata"),
        "destination": destination.get("code_iata"),
        "scheduled_departure": segment.get("scheduled_out"),
        "estimated_departure": segment.get("estimated_out"),
        "actual_departure": segment.get("actual_out"),
        "scheduled_arrival": segment.get("scheduled_in"),
        "estimated_arrival": segment.get("estimated_in"),
        "departure_delay_seconds": segment.get("departure_delay"),
        "terminal": segment.get("terminal_origin"),
        "gate": segment.get("gate_origin"),
    }
