"""Chooses the model of a request: by preferences, or else the requested one."""

import time
from dataclasses import dataclass
from typing import Final, Literal

from ext_proc.apis.conversation import Conversation
from ext_proc.apis.registry import PATHS
from ext_proc.decide.access import may_use
from ext_proc.decide.request import Record, Request, Services
from ext_proc.decide.routing_input import RoutingInput
from ext_proc.routing.agents.ladder import Match, MatchRung, NoMatch, find_match, safe_reason
from ext_proc.routing.models.preferences import Preference, Preferences
from ext_proc.routing.models.ranking import rank
from ext_proc.routing.models.resolve import ResolvedModel

NO_ROUTE: Final = "(none)"
BODY_ROUTE: Final = "(body)"
"""Metric labels instead of a preference's name: no match, or a client's own preference."""

ModelRung = Literal[MatchRung, "requested_model", "default_model", "pinned", "not_user_turn", "routing_budget", ""]
"""Empty without preferences."""


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """The chosen model and the reason."""

    ranked: tuple[ResolvedModel, ...]
    """The first one answers; the others are its fallbacks. Empty if none is configured."""
    route: str | None
    """Name of the matching preference; None without a match."""
    rung: ModelRung
    reason: str

    @property
    def header(self) -> str:
        """Value of `x-plano-decision`."""
        return safe_reason("; ".join(part for part in (self.rung, self.reason) if part))


async def choose_model(
    routing_input: RoutingInput, request: Request, conversation: Conversation, *, services: Services, record: Record
) -> ModelChoice:
    """Choose by the conversation. Never raises."""
    preferences, requested = routing_input.preferences, routing_input.requested
    if preferences is None:
        record.reason = requested.reason if requested else ""
        return ModelChoice((requested,) if requested else (), None, "", record.reason)
    match = await _match(preferences, request, conversation, services=services, record=record)
    choice = _matched(match, preferences, request, services)
    if not choice:
        reason = match.reason if isinstance(match, NoMatch) else f'no model of route "{match.name}" serves {PATHS[request.api]}'
        choice = _unmatched(requested, reason)
    record_choice(choice, preferences, record)
    return choice


def record_choice(choice: ModelChoice, preferences: Preferences, record: Record) -> None:
    """Record the decision, without the client's own names."""
    record.rung = choice.rung
    record.reason = safe_reason(choice.reason) if preferences.is_configured else ""
    record.route = _route_label(choice, preferences)


def record_refused(choice: ModelChoice, preferences: Preferences, record: Record) -> None:
    """Record the model that would have answered."""
    record.refused_model = choice.ranked[0].model.name
    record.refused_route = _route_label(choice, preferences)


def _route_label(choice: ModelChoice, preferences: Preferences) -> str:
    """Return the metrics label of the matching preference."""
    if choice.route is None:
        return NO_ROUTE
    return choice.route if preferences.is_configured and choice.route in preferences.by_name else BODY_ROUTE


async def _match(
    preferences: Preferences, request: Request, conversation: Conversation, *, services: Services, record: Record
) -> Match | NoMatch:
    started = time.perf_counter()
    match = await find_match(
        preferences.pool,
        conversation,
        egress=services.egress,
        orchestrator=services.plan.routing_model,
        headers=request.headers,
        semantic=services.semantic,
        memory=services.memory,
    )
    record.decision_seconds = time.perf_counter() - started
    return match


def _matched(match: Match | NoMatch, preferences: Preferences, request: Request, services: Services) -> ModelChoice | None:
    if isinstance(match, NoMatch):
        return None
    preference = preferences.by_name[match.name]
    serving = [model for model in preference.models if request.api in model.model.routes and may_use(model, request, services)]
    if not serving:
        return None
    ranked = rank(serving, preference.prefer, services.measures)
    first = preference.start(ranked)
    return ModelChoice((first, *ranked[1:]), match.name, match.rung, f"{_named(preference)}; {match.reason}")


def _unmatched(requested: ResolvedModel | None, reason: str) -> ModelChoice:
    rung: ModelRung = "default_model" if requested and requested.reason == "default" else "requested_model"
    return ModelChoice((requested,) if requested else (), None, rung, reason)


def _named(preference: Preference) -> str:
    ranking = f", {preference.prefer} of {len(preference.models)}" if preference.prefer else ""
    return f'route "{preference.name}"{ranking}'
