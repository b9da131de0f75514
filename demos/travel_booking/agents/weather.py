"""The weather agent: finds the place in the conversation, asks Open-Meteo, answers with conditions and forecast."""

import re

import httpx

from demos.travel_booking.agents import prompts
from demos.travel_booking.agents.agent import Agent
from demos.travel_booking.agents.conversation import ChatRequest
from demos.travel_booking.agents.models import Models
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.apis.http import JsonObject
from demos.travel_booking.apis.open_meteo import OpenMeteo
from demos.travel_booking.apis.problem import Problem

WEEK = 7


async def gather(request: ChatRequest, models: Models, http: httpx.AsyncClient, settings: Settings) -> JsonObject:
    """Get the weather of the place that the conversation is about."""
    location = await models.extract(prompts.LOCATION, request.conversation)
    if not location or location.upper() == "NOT_FOUND":
        raise Problem("The weather agent can only tell the weather, and found no place in this conversation.")
    open_meteo = OpenMeteo(http, settings.geocoding, settings.open_meteo)
    place = await open_meteo.find_place(location)
    return await open_meteo.forecast(place, requested_days(request.question))


def requested_days(question: str) -> int:
    """Return how many days of forecast a question asks for, today included."""
    words = question.lower()
    if match := re.search(r"\b(\d{1,2})[ -]days?\b", words):
        return int(match[1])
    if "forecast" in words or "week" in words:
        return WEEK
    return 2 if "tomorrow" in words else 1


AGENT = Agent("weather_agent", 10510, prompts.WEATHER_ANSWER, gather)
