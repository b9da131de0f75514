"""Sentences in place of a model's answer: puts the JSON data of the last system message into words, and adds nothing."""

import json
from collections.abc import Mapping
from typing import Any

Data = Mapping[str, Any]
UNKNOWN = "I am the demo's stand-in for a language model, and can only put the travel agents' data into words."
_CONDITIONS = (
    (0, "clear sky"),
    (3, "partly cloudy"),
    (48, "fog"),
    (67, "rain"),
    (77, "snow"),
    (82, "rain showers"),
    (86, "snow showers"),
    (99, "thunderstorm"),
)
"""Highest WMO weather code of a group -> words."""


def answer(data_text: str) -> str:
    """Put the data into words."""
    try:
        data = json.loads(data_text)
    except ValueError:
        return UNKNOWN
    if not isinstance(data, dict):
        return UNKNOWN
    for field, render in (("problem", _problem), ("forecast", _weather), ("flights", _flights), ("converted", _conversion)):
        if field in data:
            return render(data)
    return UNKNOWN


def _problem(data: Data) -> str:
    return f"I cannot answer that. {data['problem']}"


def _weather(data: Data) -> str:
    current = data["current"]
    place = ", ".join(part for part in (data["location"], data.get("country")) if part)
    now = f"Right now in {place}: {_degrees(current, 'temperature')}, {_condition(current['weather_code'])}."
    return "\n".join([now, *map(_day, data["forecast"])])


def _day(day: Data) -> str:
    warm, cold = _degrees(day, "temperature_max"), _degrees(day, "temperature_min")
    sun = f"sunrise {day['sunrise'][-5:]}, sunset {day['sunset'][-5:]}"
    return f"{day['day_name']} {day['date']}: {_condition(day['weather_code'])}, {cold} to {warm}, {sun}."


def _degrees(values: Data, name: str) -> str:
    celsius, fahrenheit = values[f"{name}_c"], values[f"{name}_f"]
    return "an unknown temperature" if celsius is None else f"{celsius} °C ({fahrenheit} °F)"


def _condition(code: int | None) -> str:
    return next((words for highest, words in _CONDITIONS if code is not None and code <= highest), "unknown conditions")


def _flights(data: Data) -> str:
    way = f"from {data['origin']} to {data['destination']} on {data['date']}"
    if not data["flights"]:
        return f"There are no nonstop flights {way}."
    return "\n".join([f"Nonstop flights {way} (times in UTC):", *map(_flight, data["flights"])])


def _flight(flight: Data) -> str:
    times = f"departs {_clock(flight['scheduled_departure'])}, arrives {_clock(flight['scheduled_arrival'])}"
    where = f"terminal {flight['terminal'] or 'not known yet'}, gate {flight['gate'] or 'not known yet'}"
    late = (flight["departure_delay_seconds"] or 0) // 60
    delay = f", {late} minutes late" if late else ""
    return f"- {flight['flight_number']} ({flight['aircraft_type']}): {times}{delay}; {where}; {flight['status']}."


def _clock(moment: str | None) -> str:
    return moment[11:16] if moment else "at an unknown time"


def _conversion(data: Data) -> str:
    amount, source, target = data["amount"], data["from"], data["to"]
    return f"{amount} {source} is {data['converted']} {target}, at a rate of {data['rate']} on {data['date']}."
