"""Exchange rates of the European Central Bank, from Frankfurter. Free, no key.

https://frankfurter.dev
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

import httpx

from demos.travel_booking.apis.http import JsonObject, get_json
from demos.travel_booking.apis.problem import Problem

API = "Frankfurter"


@dataclass(frozen=True, slots=True)
class Frankfurter:
    """Frankfurter's v1 API."""

    http: httpx.AsyncClient
    url: str

    async def convert(self, amount: Decimal, source: str, target: str) -> JsonObject:
        """Convert an amount between two currencies (ISO codes) at the latest rate."""
        if source == target:
            raise Problem(f"Both currencies are {source}, so there is nothing to convert.")
        params = {"base": source, "symbols": target}
        body = await get_json(self.http, API, f"{self.url}/v1/latest", params=params)
        if body is None:
            raise Problem(f"Frankfurter has no exchange rate from {source} to {target}.")
        try:
            rate, day = Decimal(str(body["rates"][target])), str(body["date"])
        except (KeyError, TypeError, InvalidOperation) as error:
            raise Problem("Frankfurter's answer could not be read.") from error
        converted = (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
        return {
            "amount": str(amount),
            "from": source,
            "to": target,
            "rate": str(rate),
            "converted": str(converted),
            "date": day,
        }
