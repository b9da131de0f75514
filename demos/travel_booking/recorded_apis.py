"""Serves recorded answers in place of Open-Meteo, AeroAPI and Frankfurter, so that the demo and the tests need no network.

One file of `recorded/` is one answer in the API's own shape; `{day+1}` in it is the day after the one on which it is asked for.
What was not recorded gets the API's own "not found". Run: `python -m demos.travel_booking.recorded_apis --port P`.
"""

import argparse
import json
import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from demos.travel_booking.serving import add_arguments, serve

FOLDER = Path(__file__).with_name("recorded")
RECORDED = {path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in FOLDER.rglob("*.json")}
"""`frankfurter/EUR` -> its file. Requests are looked up here and never become paths."""


def recorded(name: str, first_day: date) -> Any:
    """Return a recorded answer with its days moved to `first_day`, None if there is no such recording."""
    if name not in RECORDED:
        return None
    text = RECORDED[name].read_text(encoding="utf-8")
    return json.loads(re.sub(r"\{day\+(\d)\}", lambda match: str(first_day + timedelta(days=int(match[1]))), text))


def build_app() -> FastAPI:
    """Build the server of all three APIs; their paths do not overlap."""
    app = FastAPI(title="recorded APIs", openapi_url=None)
    app.add_api_route("/healthz", _healthz)
    app.add_api_route("/v1/search", _search)
    app.add_api_route("/v1/forecast", _forecast)
    app.add_api_route("/airports/{origin}/flights/to/{destination}", _flights)
    app.add_api_route("/v1/latest", _latest)
    return app


async def _healthz() -> dict[str, str]:
    return {"status": "ok"}


async def _search(name: str) -> JSONResponse:
    place = name.partition(",")[0].strip().lower()
    return JSONResponse(recorded(f"open_meteo/search/{place}", _today()) or recorded("open_meteo/search/(none)", _today()))


async def _forecast(latitude: str, longitude: str, forecast_days: int = 7) -> JSONResponse:
    body = recorded(f"open_meteo/forecast/{latitude},{longitude}", _today())
    if body is None:
        return JSONResponse({"error": True, "reason": "No data is available for this location"}, 400)
    body["daily"] = {field: values[:forecast_days] for field, values in body["daily"].items()}
    return JSONResponse(body)


async def _flights(request: Request, origin: str, destination: str, start: str) -> JSONResponse:
    if not request.headers.get("x-apikey"):
        return JSONResponse(_aeroapi_error(401, "Unauthorized", "Missing API key"), 401)
    body = recorded(f"aeroapi/{origin}-{destination}", date.fromisoformat(start[:10]))
    return JSONResponse(body or {"links": None, "num_pages": 1, "flights": []})


async def _latest(base: str = "EUR", symbols: str = "") -> JSONResponse:
    body = recorded(f"frankfurter/{base}", _today())
    wanted = set(symbols.split(",")) if symbols else set(body["rates"] if body else ())
    if body is None or not wanted <= body["rates"].keys():
        return JSONResponse({"message": "not found"}, 404)
    body["rates"] = {code: rate for code, rate in body["rates"].items() if code in wanted}
    return JSONResponse(body)


def _aeroapi_error(status: int, title: str, detail: str) -> dict[str, Any]:
    return {"title": title, "reason": title.upper(), "detail": detail, "status": status}


def _today() -> date:
    return datetime.now(UTC).date()


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m demos.travel_booking.recorded_apis")
    add_arguments(parser, port=10590)
    arguments = parser.parse_args()
    serve(build_app(), arguments)


if __name__ == "__main__":
    main()
