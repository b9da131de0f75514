"""One request of a session: its key, the client's limits, and how long the model is kept."""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ext_proc.apis.conversation import Conversation
from ext_proc.codec.json_body import JsonObject
from ext_proc.decide.model_choice import ModelChoice
from ext_proc.decide.request import Request, Services
from ext_proc.decide.routing_input import RoutingInput
from ext_proc.errors import GatewayError, RequestError
from ext_proc.routing.affinity.session_key import SessionKey, session_key
from ext_proc.routing.affinity.sessions import Affinity, Binding, Budget
from ext_proc.routing.models.resolve import ResolvedModel, resolve_model
from protos.contract.headers import SPEND_HEADER


@dataclass(frozen=True, slots=True)
class SessionRequest:
    """One request of a session."""

    routing_input: RoutingInput
    request: Request
    value: JsonObject
    """The body after filters."""
    session: SessionKey
    budget: Budget | None
    services: Services
    now: float
    """In seconds since 1970."""

    @property
    def affinity(self) -> Affinity:
        """The settings of sessions."""
        return self.services.plan.affinity

    @property
    def is_pinning(self) -> bool:
        """Whether the session keeps its model independent of the conversation."""
        wants_it = self.session.is_explicit or self.affinity.implied_ttl_seconds > 0
        return wants_it and self.budget is None

    @property
    def ttl_seconds(self) -> float:
        """How long the session is stored after this request."""
        implied = 0.0 if self.session.is_explicit else self.affinity.implied_ttl_seconds
        return implied or self.affinity.ttl_seconds

    @property
    def requested_name(self) -> str:
        """Full name of the requested model; empty if there is none."""
        return self.routing_input.requested.name if self.routing_input.requested else ""

    def resolve(self, name: str) -> ResolvedModel | None:
        """Look a model up by its full name; None if it does not exist any more."""
        try:
            return resolve_model(self.services.plan.models, name)
        except GatewayError:
            return None

    def binding(self, choice: ModelChoice) -> Binding:
        """Return the part of the binding that this request determines."""
        return Binding(
            anchor_model=choice.ranked[0].name,
            route_name=choice.route or "",
            requested_model=self.requested_name,
            prefix_hash=self.session.prefix,
            last_used=self.now,
        )


def read_session_request(
    routing_input: RoutingInput, request: Request, value: JsonObject, conversation: Conversation, services: Services
) -> SessionRequest | None:
    """Read the session of a request; None if it has none.

    Raises:
        RequestError: a session header is invalid.
    """
    affinity = services.plan.affinity
    budget = _read_budget(request.headers, affinity)
    implies = affinity.implied_ttl_seconds > 0 or affinity.user_only or budget is not None
    session = session_key(affinity, request.api, request.headers, value, conversation, implies=implies)
    return (
        SessionRequest(routing_input, request, value, session, budget, services, time.time()) if session is not None else None
    )


def _read_budget(headers: Mapping[str, str], affinity: Affinity) -> Budget | None:
    given = headers.get(SPEND_HEADER, "").strip()
    if not given:
        return affinity.budget
    try:
        percent = float(given)
    except ValueError:
        percent = math.nan
    if not 0 <= percent <= 100:
        raise RequestError(f"'{SPEND_HEADER}' must be a number from 0 to 100.", param=SPEND_HEADER)
    return replace(affinity.budget or Budget(percent=percent), percent=percent)
