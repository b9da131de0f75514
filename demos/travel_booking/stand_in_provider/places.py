"""The little that the stand-in provider knows about the world. It says so when it is asked for more."""

import re
from collections.abc import Sequence

AIRPORTS = {
    "atlanta": "ATL",
    "berlin": "BER",
    "istanbul": "IST",
    "london": "LHR",
    "los angeles": "LAX",
    "new york": "JFK",
    "paris": "CDG",
    "seattle": "SEA",
    "tokyo": "HND",
}
"""City -> its main airport."""

CITY_CURRENCIES = {
    "atlanta": "USD",
    "berlin": "EUR",
    "istanbul": "TRY",
    "london": "GBP",
    "los angeles": "USD",
    "new york": "USD",
    "paris": "EUR",
    "seattle": "USD",
    "tokyo": "JPY",
}
CURRENCY_WORDS = {
    "dollars?": "USD",
    "euros?": "EUR",
    "pounds?": "GBP",
    "sterling": "GBP",
    "yen": "JPY",
    "lira": "TRY",
    "francs?": "CHF",
    "american": "USD",
    "british": "GBP",
    "japanese": "JPY",
    "turkish": "TRY",
    "swiss": "CHF",
}
"""Pattern of a word -> currency."""

_NAME = r"[A-ZÀ-Þ][\w'-]+(?:[ ][A-ZÀ-Þ][\w'-]+)*"
_NOT_PLACES = {
    "Celsius",
    "Fahrenheit",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
    "I",
    "The",
}


def places_after(words: str, text: str) -> list[str]:
    """Return the capitalised names that follow one of `words` (a regular expression's alternatives)."""
    found = re.findall(rf"\b(?:{words})\s+({_NAME})", text)
    return [name for name in found if name not in _NOT_PLACES]


def last_place(texts: Sequence[str], *, but: str | None = None) -> str | None:
    """Return the place that was spoken of last, a destination before any other."""
    for text in reversed(texts):
        for words in ("to|into", "in|for|at|visiting", "from|out of|leaving"):
            for place in reversed(places_after(words, text)):
                if but is None or place.lower() != but.lower():
                    return place
    return None
