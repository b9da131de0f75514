"""The input of model routing: the model that a request names, and the preferences that apply to it.

Preferences come with the request or from the configuration. Without any, only `model` is read.
"""

from dataclasses import dataclass
from typing import Final

from ext_proc.apis.api import Api
from ext_proc.apis.registry import PATHS
from ext_proc.decide.request import Request, Services
from ext_proc.errors import UnsupportedFeature
from ext_proc.routing.models.body_preferences import FIELD, read_preferences
from ext_proc.routing.models.preferences import Preferences
from ext_proc.routing.models.resolve import ResolvedModel, resolve_model
from protos.contract.headers import AFFINITY_HEADER, REQUEST_ID_HEADER

CONVERSATIONS: Final = frozenset({Api.CHAT_COMPLETIONS, Api.MESSAGES, Api.RESPONSES})
"""APIs whose requests say what is wanted."""


@dataclass(frozen=True, slots=True)
class RoutingInput:
    """What model routing decides by."""

    preferences: Preferences | None
    """The request's own, or the configured ones; None: the requested model answers."""
    requested: ResolvedModel | None
    """What the request asks for; None only where it may do without."""


def has_preferences(request: Request, services: Services) -> bool:
    """Tell if there is more to a request than the model that it asks for; most have no more, and cost no more."""
    return FIELD in request.value or (services.plan.preferences is not None and request.api in CONVERSATIONS)


def read_routing_input(request: Request, services: Services) -> RoutingInput:
    """Read what a request leaves to choose, before any filter has seen it. With preferences it need not name a model.

    Raises:
        RequestError: it asks for a model that is not there, or for none where one is needed; or its preferences are wrong.
    """
    preferences = effective_preferences(request, services)
    if preferences is not None and services.plan.models.default is None and request.value.get("model") in (None, ""):
        return RoutingInput(preferences, None)
    return RoutingInput(preferences, requested_model(request, services))


def effective_preferences(request: Request, services: Services) -> Preferences | None:
    """Return the preferences that hold for a request: its own, or the configured ones.

    Raises:
        RequestError: its own are wrong, or out of place.
    """
    plan = services.plan
    if FIELD not in request.value:
        return plan.preferences if request.api in CONVERSATIONS else None
    if request.api not in CONVERSATIONS:
        raise UnsupportedFeature(f"'{FIELD}' has no meaning at {PATHS[request.api]}.", param=FIELD)
    policies = {source.policy for source in plan.sources}
    return read_preferences(request.value[FIELD], plan.models, policies, plan.ranked_models)


def requested_model(request: Request, services: Services) -> ResolvedModel:
    """Resolve what a request asks for.

    Raises:
        RequestError: there is no such model, or it names none and there is no default.
    """
    # An alias that several models share sends a session to one of them.
    chosen_by = request.headers.get(AFFINITY_HEADER) or request.headers.get(REQUEST_ID_HEADER, "")
    return resolve_model(services.plan.models, request.value.get("model"), request_id=chosen_by)
