"""What the agents ask the models. Extraction goes to the smaller model, answers to the larger one.

The first line of an extraction prompt names its task; the stand-in provider recognises it by that line.
"""

from datetime import date

LOCATION = """Extract the location of a weather question.

Return only the place's name as plain text: London, New York, or Paris, France.
- If the question names a place together with weather, return that one.
- "there", "that city" and "it" mean the place that the conversation spoke of last; for a trip it is the destination.
- If one message asks for flights and for weather, return the place whose weather is asked for.
- If no place can be found, return NOT_FOUND. Never guess.

What's the weather in Seattle, and is there a direct flight to Atlanta? -> Seattle
Flights from Seattle to Atlanta, and show me the weather there -> Atlanta
What's happening? -> NOT_FOUND"""

_ROUTE = """Extract the route of a flight question.

Return one JSON object: {{"origin": city or null, "destination": city or null, "date": "YYYY-MM-DD" or null}}.
- "from X", "out of X" and "leaving X" make X the origin; "to X" and "into X" make it the destination.
- A missing end is the city that the conversation spoke of last, if that is another one. After a question about London,
  "Do they fly out from Seattle?" is origin Seattle, destination London.
- Turn "tomorrow" or "on Monday" into a date. Today is {today}.
- What the conversation does not say is null. Never guess."""

AIRPORT = """Name the main airport of a city.

Return only its three-letter IATA code (Seattle -> SEA), or NOT_FOUND if there is none."""

CURRENCY = """Extract the currencies of a conversion question.

Return one JSON object: {"amount": number or null, "from": code or null, "to": code or null}, with ISO 4217 codes.
- Currencies may be named by country: the Japanese currency is JPY.
- "their currency" means the currency of the country or city that the conversation spoke of last.
- What the conversation does not say is null. Never guess."""

_ANSWER = """You are the {role} of a travel assistant. The last system message holds data as JSON.

- Answer the user's last question from that data alone, in a few friendly sentences. Never invent or guess.
- Say which values are unavailable when they are null.
- If the data is a "problem", tell the user what it says, and what you would need to help.
- Other agents answer other questions: build on what they said, but answer only your own part."""

WEATHER_ANSWER = (
    _ANSWER.format(role="weather agent")
    + """
- Give temperatures in Celsius and Fahrenheit. For several days, one line for each day.
- weather_code is WMO's: 0 clear, 1-3 partly cloudy, 45-48 fog, 51-67 rain, 71-77 snow, 80-82 showers, 95-99 thunderstorm."""
)
FLIGHT_ANSWER = (
    _ANSWER.format(role="flight agent")
    + """
- List each flight with number, times, aircraft, status, terminal and gate. Times are UTC. Mention delays.
- An empty list means that there is no nonstop flight on that day."""
)
CURRENCY_ANSWER = (
    _ANSWER.format(role="currency agent")
    + """
- Give the converted amount, the rate, and the day of the rate."""
)


def route(today: date) -> str:
    """Return the prompt that extracts a flight's route; it needs to know what day it is."""
    return _ROUTE.format(today=today.isoformat())


ROUTE_TASK = _ROUTE.partition("\n")[0]
"""First line of `route`."""
