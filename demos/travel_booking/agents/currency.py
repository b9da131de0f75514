"""The currency agent: finds amount and currencies in the conversation, asks Frankfurter, answers with the conversion."""

import re
from decimal import Decimal, InvalidOperation

import httpx

from demos.travel_booking.agents import prompts
from demos.travel_booking.agents.agent import Agent
from demos.travel_booking.agents.conversation import ChatRequest
from demos.travel_booking.agents.models import Models
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.apis.frankfurter import Frankfurter
from demos.travel_booking.apis.http import JsonObject
from demos.travel_booking.apis.problem import Problem


async def gather(request: ChatRequest, models: Models, http: httpx.AsyncClient, settings: Settings) -> JsonObject:
    """Get the conversion that the conversation is about."""
    wanted = await models.extract_object(prompts.CURRENCY, request.conversation)
    source, target = currency_code(wanted.get("from")), currency_code(wanted.get("to"))
    if source is None or target is None:
        raise Problem("It is not clear which two currencies to convert between.")
    return await Frankfurter(http, settings.frankfurter).convert(requested_amount(wanted.get("amount")), source, target)


def currency_code(given: object) -> str | None:
    """Return an ISO 4217 code, or None for anything else."""
    return given.upper() if isinstance(given, str) and re.fullmatch("[A-Za-z]{3}", given) else None


def requested_amount(given: object) -> Decimal:
    """Return the amount to convert: what the model read, or one unit."""
    if given is None:
        return Decimal(1)
    try:
        amount = Decimal(str(given))
    except InvalidOperation as error:
        raise Problem("It is not clear which amount to convert.") from error
    if not amount.is_finite() or not 0 < amount < Decimal("1e15"):
        raise Problem("The amount to convert must be a positive number below a quadrillion.")
    return amount


AGENT = Agent("currency_agent", 10530, prompts.CURRENCY_ANSWER, gather)
