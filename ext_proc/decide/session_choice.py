"""Chooses the model for a request of a session: the one that the session keeps, or a new one by preferences.

| a stored session | and | result |
| --- | --- | --- |
| has a routing budget | the choice differs from its model | it changes if the budget allows it |
| is named by its client, or by prompt caching | has no budget | it keeps its model, without a decision |
| is under `route_on_user_only` | the last message is not a user's, its model is warm | it keeps its model, without a decision |
"""

from dataclasses import dataclass, replace

from ext_proc.apis.conversation import read_conversation
from ext_proc.apis.session_facts import speaks_as_user
from ext_proc.codec.json_body import JsonObject
from ext_proc.decide.model_choice import ModelChoice, choose_model, record_choice, record_refused
from ext_proc.decide.request import Record, Request, Services
from ext_proc.decide.routing_input import RoutingInput
from ext_proc.decide.session_request import SessionRequest, read_session_request
from ext_proc.decide.stored_session import Recalled, StoredSession, claim, keep, recall
from ext_proc.routing.affinity.routing_budget import judge
from ext_proc.routing.affinity.session_key import SessionKey
from ext_proc.routing.affinity.sessions import Budget
from ext_proc.routing.models.measures import Price
from protos.contract.metadata import METADATA_SESSION

_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """The chosen model, and the effect on the session."""

    choice: ModelChoice
    session: SessionKey | None = None
    is_pinned: bool = False
    """Whether the session keeps its stored model."""
    is_switched: bool = False
    """Whether the session changes its model."""
    wants_usage: bool = False
    """Whether to record the answer's usage, for the budget."""
    refused: ModelChoice | None = None
    """The choice that the budget prevented."""

    @property
    def metadata(self) -> dict[str, str]:
        """The metadata for the attempt stage."""
        return {METADATA_SESSION: self.session.key} if self.session is not None and self.wants_usage else {}


async def choose_in_session(
    routing_input: RoutingInput, request: Request, value: JsonObject, *, services: Services, record: Record
) -> SessionChoice:
    """Choose; `value` is the body after filters.

    Raises:
        RequestError: the conversation or a session header is invalid.
    """
    if routing_input.preferences is None:
        return SessionChoice(await choose_model(routing_input, request, (), services=services, record=record))
    conversation = read_conversation(request.api, value)
    current = read_session_request(routing_input, request, value, conversation, services)
    if current is None:
        return SessionChoice(await choose_model(routing_input, request, conversation, services=services, record=record))
    recalled = await recall(current)
    made = _without_asking(current, recalled.stored) if recalled.stored is not None else None
    choice = made or await choose_model(routing_input, request, conversation, services=services, record=record)
    if not choice.ranked:
        return SessionChoice(choice, current.session)
    decided = await _hold_against_session(current, recalled, choice)
    record_choice(decided.choice, routing_input.preferences, record)
    if decided.refused is not None and current.budget is not None and current.budget.records_refused:
        record_refused(decided.refused, routing_input.preferences, record)
    return decided


def _without_asking(current: SessionRequest, stored: StoredSession) -> ModelChoice | None:
    previous = stored.binding
    if current.is_pinning and previous.route_name:
        return _pinned(stored)
    is_same_lane = previous.requested_model == current.requested_name and previous.is_warm(current.now, current.session.prefix)
    if current.affinity.user_only and is_same_lane and not speaks_as_user(current.request.api, current.value):
        return replace(stored.choice, rung="not_user_turn", reason="the session's model goes on")
    return None


async def _hold_against_session(current: SessionRequest, recalled: Recalled, choice: ModelChoice) -> SessionChoice:
    """Check a choice against the stored session, and store the result."""
    if current.budget is not None:
        return await _within_budget(current, current.budget, recalled.stored, choice)
    if recalled.is_blank and current.is_pinning and choice.route:
        return await _claim(current, choice)
    return await _remember(current, recalled.stored, choice)


async def _within_budget(
    current: SessionRequest, budget: Budget, stored: StoredSession | None, choice: ModelChoice
) -> SessionChoice:
    def price(name: str) -> Price | None:
        model = current.resolve(name)
        return current.services.measures.price(model) if model is not None else None

    tokens = len(current.request.body) // _BYTES_PER_TOKEN
    previous = stored.binding if stored is not None else None
    judgement = judge(previous, current.binding(choice), budget=budget, prices=price, tokens=tokens, now=current.now)
    await keep(current, judgement.binding)
    if stored is not None and judgement.keeps_anchor:
        reason = f"changing to {choice.ranked[0].name} costs more than {budget.percent:g} percent"
        kept = replace(stored.choice, rung="routing_budget", reason=reason)
        return SessionChoice(kept, current.session, is_pinned=True, wants_usage=True, refused=choice)
    return SessionChoice(choice, current.session, judgement.verdict == "same_model", judgement.switches, wants_usage=True)


async def _claim(current: SessionRequest, choice: ModelChoice) -> SessionChoice:
    """Pin a session; of two simultaneous first requests one decides for both."""
    binding = current.binding(choice)
    winner = await claim(current, binding)
    if winner is None or winner.binding.anchor_model == binding.anchor_model:
        return SessionChoice(choice, current.session)
    return SessionChoice(_pinned(winner), current.session, is_pinned=True)


async def _remember(current: SessionRequest, stored: StoredSession | None, choice: ModelChoice) -> SessionChoice:
    binding = current.binding(choice)
    is_kept = stored is not None and stored.binding.anchor_model == binding.anchor_model
    if stored is not None and is_kept:
        binding = replace(binding, route_name=binding.route_name or stored.binding.route_name)
    await keep(current, binding)
    return SessionChoice(choice, current.session, is_kept, stored is not None and not is_kept)


def _pinned(stored: StoredSession) -> ModelChoice:
    return replace(stored.choice, rung="pinned", reason=f'route "{stored.binding.route_name}" of the session')
