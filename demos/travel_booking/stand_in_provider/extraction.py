"""Rules in place of a model: read a place, a route, an airport or currencies out of a conversation.

Plain and honest: what the rules do not find is NOT_FOUND or null, as the prompts ask for.
"""

import json
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from demos.travel_booking.agents import prompts
from demos.travel_booking.stand_in_provider.places import (
    AIRPORTS,
    CITY_CURRENCIES,
    CURRENCY_WORDS,
    last_place,
    places_after,
)

NOT_FOUND = "NOT_FOUND"
_CODES = set(CURRENCY_WORDS.values()) | {"AUD", "CAD", "PKR", "INR", "CNY", "SEK", "NOK", "DKK", "MXN"}
_REFERS_BACK = re.compile(r"\b(there|that city|that place|it|they|them|their|tomorrow|forecast|weather)\b", re.IGNORECASE)


def extract(prompt: str, users: Sequence[str]) -> str | None:
    """Answer an extraction prompt from what the user said, None if the prompt is not one."""
    for task, rule in _TASKS.items():
        if prompt.startswith(task):
            return rule(prompt, users)
    return None


def _location(_: str, users: Sequence[str]) -> str:
    question = users[-1]
    weather_of = re.findall(r"(?:weather|forecast|sunrise|sunset|temperature)[^.?!]*", question, re.IGNORECASE)
    for part in weather_of:
        if here := places_after("in|for|at|of", part):
            return here[0]
    if re.search(r"\b(there|that city)\b", question, re.IGNORECASE):
        return last_place(users) or NOT_FOUND
    if here := places_after("in|at|to|visiting", question):
        return here[0]
    return (last_place(users[:-1]) if _REFERS_BACK.search(question) else None) or NOT_FOUND


def _route(prompt: str, users: Sequence[str]) -> str:
    question = users[-1]
    origin = next(iter(places_after("from|out of|leaving|between", question)), None)
    destination = next(iter(places_after("to|into|and", question)), None)
    if origin is None and destination is not None:
        origin = last_place(users[:-1], but=destination)
    elif destination is None and origin is not None:
        destination = last_place(users[:-1], but=origin)
    return json.dumps({"origin": origin, "destination": destination, "date": _date(prompt, question)})


def _date(prompt: str, question: str) -> str | None:
    if written := re.search(r"\b\d{4}-\d{2}-\d{2}\b", question):
        return written[0]
    today = re.search(r"Today is (\d{4}-\d{2}-\d{2})", prompt)
    if today is None or "tomorrow" not in question.lower():
        return None
    return str(date.fromisoformat(today[1]) + timedelta(days=1))


def _airport(_: str, users: Sequence[str]) -> str:
    return AIRPORTS.get(users[-1].strip().lower(), NOT_FOUND)


def _currency(_: str, users: Sequence[str]) -> str:
    question = users[-1]
    # "How many yen do I get for 200 pounds?" names the target first: the source is what has the amount.
    number = re.search(r"\d[\d,]*(?:\.\d+)?", question)
    named = _currencies(question)
    if re.search(r"\btheir\b", question, re.IGNORECASE) and (place := last_place(users[:-1])):
        named += [(len(question), CITY_CURRENCIES[place.lower()])] if place.lower() in CITY_CURRENCIES else []
    after = [code for position, code in named if number and position > number.start()]
    source = after[0] if after else next((code for _, code in named), None)
    target = next((code for _, code in named if code != source), None)
    amount = _number(number[0]) if number else None
    return json.dumps({"amount": amount, "from": source, "to": target})


def _number(written: str) -> float | int:
    plain = written.replace(",", "")
    return float(plain) if "." in plain else int(plain)


def _currencies(text: str) -> list[tuple[int, str]]:
    """Return the currencies that a text names, in order, with their positions."""
    found = [(match.start(), match[0]) for match in re.finditer(r"\b[A-Z]{3}\b", text) if match[0] in _CODES]
    for word, code in CURRENCY_WORDS.items():
        found += [(match.start(), code) for match in re.finditer(rf"\b{word}\b", text, re.IGNORECASE)]
    return sorted(found)


_TASKS: dict[str, Callable[[str, Sequence[str]], str]] = {
    prompts.LOCATION.partition("\n")[0]: _location,
    prompts.ROUTE_TASK: _route,
    prompts.AIRPORT.partition("\n")[0]: _airport,
    prompts.CURRENCY.partition("\n")[0]: _currency,
}
"""First line of an extraction prompt -> the rule that answers it."""
