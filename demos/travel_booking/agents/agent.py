"""An agent, as the HTTP service sees it: a name, a way to get data for a question, and a prompt to put it into words."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from demos.travel_booking.agents.conversation import ChatRequest
from demos.travel_booking.agents.models import Models
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.apis.http import JsonObject

Gather = Callable[[ChatRequest, Models, httpx.AsyncClient, Settings], Awaitable[JsonObject]]
"""Gets the data for a question; raises Problem where there is none."""


@dataclass(frozen=True, slots=True)
class Agent:
    """One of the travel agents."""

    id: str
    """As in plano_config.yaml."""
    port: int
    """Where it listens unless told otherwise."""
    answer_prompt: str
    gather: Gather
