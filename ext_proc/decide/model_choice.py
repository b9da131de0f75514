"""Which model answers a request: what its preferences say, or else the one that it asks for.

Preferences come with the request or from the configuration. Without any nothing is asked and nothing is read but `model`.
"""

import time
from dataclasses import dataclass
from typing import Final, Literal

from ext_proc import contract
from ext_proc.apis.conversation import Conversation
from ext_proc.apis.paths import PATHS, Api
from ext_proc.decide.transaction import Record, Request, Services
from ext_proc.errors import UnsupportedFeature
from ext_proc.routing.body_preferences import FIELD, read_preferences
from ext_proc.routing.ladder import Match, MatchRung, NoMatch, find_match, safe_reason
from ext_proc.routing.models import ResolvedModel, resolve_model
from ext_proc.routing.preferences import Preference, Preferences
from ext_proc.routing.ranking import rank

CONVERSATIONS: Final = frozenset({Api.CHAT_COMPLETIONS, Api.MESSAGES, Api.RESPONSES})
"""APIs whose requests say what is wanted."""

NO_ROUTE: Final = "(none)"
BODY_ROUTE: Final = "(body)"
"""Metric labels in place of a preference's name: none fits, or the name is a client's."""

ModelRung = Literal[MatchRung, "requested_model", "default_model", "pinned", "not_user_turn", "routing_budget", ""]
"""Empty where no preferences were offered, so that there was nothing to decide."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """What answers, and why."""

    ranked: tuple[ResolvedModel, ...]
    """The first one answers; the others are what the preference has for when it does not. Empty if nobody is known."""
    route: str | None
    """Name of the preference that fits; None if none does."""
    rung: ModelRung
    reason: str

    @property
    def header(self) -> str:
        """Value of `x-plano-decision`."""
        return safe_reason("; ".join(part for part in (self.rung, self.reason) if part))


@dataclass(frozen=True, slots=True)
class ModelQuestion:
    """What there is to choose from."""

    preferences: Preferences | None
    """The request's own, or the configured ones; None: the requested model answers."""
    requested: ResolvedModel | None
    """What the request asks for; None only where it may do without."""


def offers_choice(request: Request, services: Services) -> bool:
    """Tell if there is more to a request than the model that it asks for; most have no more, and cost no more."""
    return FIELD in request.value or (services.plan.preferences is not None and request.api in CONVERSATIONS)


def read_question(request: Request, services: Services) -> ModelQuestion:
    """Read what a request leaves to choose, before any filter has seen it. With preferences it need not name a model.

    Raises:
        RequestError: it asks for a model that is not there, or for none where one is needed; or its preferences are wrong.
    """
    preferences = read_offer(request, services)
    if preferences is not None and services.plan.models.default is None and request.value.get("model") in (None, ""):
        return ModelQuestion(preferences, None)
    return ModelQuestion(preferences, requested_model(request, services))


def requested_model(request: Request, services: Services) -> ResolvedModel:
    """Resolve what a request asks for.

    Raises:
        RequestError: there is no such model, or it names none and there is no default.
    """
    # An alias that several models share sends a session to one of them.
    chosen_by = request.headers.get(contract.AFFINITY_HEADER) or request.headers.get(contract.REQUEST_ID_HEADER, "")
    return resolve_model(services.plan.models, request.value.get("model"), request_id=chosen_by)


def read_offer(request: Request, services: Services) -> Preferences | None:
    """Return the preferences that hold for a request: its own, or the configured ones.

    Raises:
        RequestError: its own are wrong, or out of place.
    """
    plan = services.plan
    if FIELD not in request.value:
        return plan.preferences if request.api in CONVERSATIONS else None
    if request.api not in CONVERSATIONS:
        raise UnsupportedFeature(f"'{FIELD}' has no meaning at {PATHS[request.api]}.", param=FIELD)
    return read_preferences(request.value[FIELD], plan.models, {source.policy for source in plan.sources})


async def choose_model(
    question: ModelQuestion, request: Request, conversation: Conversation, *, services: Services, record: Record
) -> ModelChoice:
    """Choose by what is said. Never raises."""
    preferences, requested = question.preferences, question.requested
    if preferences is None:
        record.reason = requested.reason if requested else ""
        return ModelChoice((requested,) if requested else (), None, "", record.reason)
    started = time.perf_counter()
    match = await find_match(
        preferences.pool,
        conversation,
        egress=services.egress,
        orchestrator=services.plan.routing_model,
        headers=request.headers,
    )
    record.decision_seconds = time.perf_counter() - started
    choice = _matched(match, preferences, request, services)
    if not choice:
        reason = match.reason if isinstance(match, NoMatch) else f'no model of route "{match.name}" serves {PATHS[request.api]}'
        choice = _unmatched(requested, reason)
    record_choice(choice, preferences, record)
    return choice


def record_choice(choice: ModelChoice, preferences: Preferences, record: Record) -> None:
    """Note who decided what; what is a client's own is left out."""
    record.rung = choice.rung
    record.reason = safe_reason(choice.reason) if preferences.is_configured else ""
    record.route = _label(choice, preferences)


def _matched(match: Match | NoMatch, preferences: Preferences, request: Request, services: Services) -> ModelChoice | None:
    if isinstance(match, NoMatch):
        return None
    preference = preferences.by_name[match.name]
    serving = [model for model in preference.models if request.api in model.model.routes]
    if not serving:
        return None
    ranked = rank(serving, preference.prefer, services.measures)
    first = preference.start(ranked)
    return ModelChoice((first, *ranked[1:]), match.name, match.rung, f"{_route(preference)}; {match.reason}")


def _label(choice: ModelChoice, preferences: Preferences) -> str:
    if choice.route is None:
        return NO_ROUTE
    return choice.route if preferences.is_configured and choice.route in preferences.by_name else BODY_ROUTE


def _unmatched(requested: ResolvedModel | None, reason: str) -> ModelChoice:
    rung: ModelRung = "default_model" if requested and requested.reason == "default" else "requested_model"
    return ModelChoice((requested,) if requested else (), None, rung, reason)


def _route(preference: Preference) -> str:
    ranking = f", {preference.prefer} of {len(preference.models)}" if preference.prefer else ""
    return f'route "{preference.name}"{ranking}'
