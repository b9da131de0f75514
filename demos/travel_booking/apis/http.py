"""One GET that returns a JSON object, or says in plain words why there is none."""

import logging
from collections.abc import Mapping
from typing import Any

import httpx

from demos.travel_booking.apis.problem import Problem

logger = logging.getLogger(__name__)

JsonObject = dict[str, Any]


async def get_json(
    http: httpx.AsyncClient, api: str, url: str, *, params: Mapping[str, str], headers: Mapping[str, str] | None = None
) -> JsonObject | None:
    """Ask an API; None is its 404, everything else that is not a JSON object is a Problem."""
    try:
        response = await http.get(url, params=dict(params), headers=dict(headers or {}))
    except httpx.HTTPError as error:
        # Only the kind of error: its text can hold the URL, and with it what the traveller asked.
        logger.warning("%s unreachable: %s", api, type(error).__name__)
        raise Problem(f"{api} could not be reached.") from error
    if response.status_code == httpx.codes.NOT_FOUND:
        return None
    if response.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise Problem(f"{api} did not accept this service's key.")
    if not response.is_success:
        logger.warning("%s answered %d", api, response.status_code)
        raise Problem(f"{api} answered with an error (status {response.status_code}).")
    return _object(api, response)


def _object(api: str, response: httpx.Response) -> JsonObject:
    try:
        body = response.json()
    except ValueError as error:
        raise Problem(f"{api} sent something that is not JSON.") from error
    if not isinstance(body, dict):
        raise Problem(f"{api} sent an answer of an unknown form.")
    return body
