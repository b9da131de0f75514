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
"""APIs with conversations to route by."""


@dataclass(frozen=True, slots=True)
class RoutingInput:
    """The input of model routing."""

    preferences: Preferences | None
    """The request's own, or the configured ones; None: the requested model answers."""
    requested: ResolvedModel | None
    """The requested model; None only if it may be missing."""


def has_preferences(request: Request, services: Services) -> bool:
    """Whether a request has more than a model to route by; most have not."""
    return FIELD in request.value or (services.plan.preferences is not None and request.api in CONVERSATIONS)


def read_routing_input(request: Request, services: Services) -> RoutingInput:
    """Read the routing input before filters run. With preferences a request need not name a model.

    Raises:
        RequestError: the model is unknown, or missing although needed; or the preferences are invalid.
    """
    preferences = effective_preferences(request, services)
    if preferences is not None and services.plan.models.default is None and request.value.get("model") in (None, ""):
        return RoutingInput(preferences, None)
    return RoutingInput(preferences, requested_model(request, services))


def effective_preferences(request: Request, services: Services) -> Preferences | None:
    """Return the preferences of a request: its own, or the configured ones.

    Raises:
        RequestError: its own are invalid, or not allowed here.
    """
    plan = services.plan
    if FIELD not in request.value:
        return plan.preferences if request.api in CONVERSATIONS else None
    if request.api not in CONVERSATIONS:
        raise UnsupportedFeature(f"'{FIELD}' has no meaning at {PATHS[request.api]}.", param=FIELD)
    policies = {source.policy for source in plan.sources}
    return read_preferences(request.value[FIELD], plan.models, policies, plan.ranked_models)


def requested_model(request: Request, services: Services) -> ResolvedModel:
    """Resolve the model of a request.

    Raises:
        RequestError: the model is unknown, or missing without a default.
    """
    # An alias with weighted targets keeps a session on one of them.
    chosen_by = request.headers.get(AFFINITY_HEADER) or request.headers.get(REQUEST_ID_HEADER, "")
    return resolve_model(services.plan.models, request.value.get("model"), request_id=chosen_by)
