"""The flight agent: finds route and day in the conversation, resolves airports, asks FlightAware, answers with flights."""

import re
from datetime import UTC, date, datetime

import httpx

from demos.travel_booking.agents import prompts
from demos.travel_booking.agents.agent import Agent
from demos.travel_booking.agents.conversation import ChatRequest, Message
from demos.travel_booking.agents.models import Models
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.apis.aeroapi import AeroApi
from demos.travel_booking.apis.http import JsonObject
from demos.travel_booking.apis.problem import Problem


async def gather(request: ChatRequest, models: Models, http: httpx.AsyncClient, settings: Settings) -> JsonObject:
    """Get the nonstop flights that the conversation is about."""
    today = datetime.now(UTC).date()
    route = await models.extract_object(prompts.route(today), request.conversation)
    origin, destination = route.get("origin"), route.get("destination")
    if not isinstance(origin, str) or not isinstance(destination, str):
        raise Problem(missing_end(origin, destination))
    day = requested_day(route.get("date"), today)
    # One after the other: the second is not worth asking for when the first fails.
    origin_code = await _airport(origin, models)
    destination_code = await _airport(destination, models)
    aeroapi = AeroApi(http, settings.aeroapi, settings.aeroapi_key)
    found = await aeroapi.flights(origin_code, destination_code, day, today=today)
    return {
        "origin": f"{origin} ({origin_code})",
        "destination": f"{destination} ({destination_code})",
        "date": str(day),
        **found,
    }


def missing_end(origin: object, destination: object) -> str:
    """Say which end of a route is unknown."""
    if not origin and not destination:
        return "It is not clear between which cities to look for flights."
    return f"It is not clear {'from' if not origin else 'to'} which city the flight should go."


def requested_day(given: object, today: date) -> date:
    """Return the day to look at: what the model read, or today."""
    if given is None:
        return today
    try:
        return date.fromisoformat(str(given))
    except ValueError as error:
        raise Problem("It is not clear on which day the flight should go.") from error


async def _airport(city: str, models: Models) -> str:
    code = (await models.extract(prompts.AIRPORT, [Message("user", city)])).upper()
    if not re.fullmatch("[A-Z]{3}", code):
        raise Problem(f"No airport is known for {city}.")
    return code


AGENT = Agent("flight_agent", 10520, prompts.FLIGHT_ANSWER, gather)
