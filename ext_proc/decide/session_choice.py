"""Which model answers a request of a session: the one that the session keeps, or the one that preferences choose anew.

| a session that is known | and | then |
| --- | --- | --- |
| has a routing budget | the choice is another model than before | it changes if the budget allows it |
| is named by its client, or prompt caching wants it | has no budget | it keeps its model: nobody is asked |
| is under `route_on_user_only` | the last message is no user's, its model is warm | it keeps its model: nobody is asked |
"""

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from ext_proc.apis.conversation import read_conversation
from ext_proc.apis.session_facts import speaks_as_user
from ext_proc.codec.json_body import JsonObject
from ext_proc.contract import METADATA_SESSION, SPEND_HEADER
from ext_proc.decide.model_choice import ModelChoice, ModelQuestion, choose_model, record_choice
from ext_proc.decide.transaction import Record, Request, Services
from ext_proc.errors import GatewayError, RequestError
from ext_proc.routing.affinity import Affinity, Binding, Budget, decode_binding
from ext_proc.routing.measures import Price
from ext_proc.routing.models import ResolvedModel, resolve_model
from ext_proc.routing.ranking import rank
from ext_proc.routing.routing_budget import judge
from ext_proc.routing.session_key import SessionKey, session_key

_BYTES_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class SessionChoice:
    """What answers, and what became of the session."""

    choice: ModelChoice
    session: SessionKey | None = None
    is_pinned: bool = False
    """Whether the session had a model, and keeps it."""
    is_switched: bool = False
    """Whether it had a model, and has another one now."""
    wants_usage: bool = False
    """Whether the answer's usage is to be noted: a budget counts with it."""

    @property
    def metadata(self) -> dict[str, str]:
        """What attempts must know of it."""
        return {METADATA_SESSION: self.session.key} if self.session is not None and self.wants_usage else {}


@dataclass(frozen=True, slots=True)
class _Turn:
    """One request of a session."""

    question: ModelQuestion
    request: Request
    value: JsonObject
    session: SessionKey
    budget: Budget | None
    services: Services
    now: float

    @property
    def affinity(self) -> Affinity:
        return self.services.plan.affinity

    @property
    def is_pinning(self) -> bool:
        """Whether the session keeps its model whatever is said."""
        wants_it = self.session.is_explicit or self.affinity.implied_ttl_seconds > 0
        return wants_it and self.budget is None

    @property
    def ttl_seconds(self) -> float:
        implied = 0.0 if self.session.is_explicit else self.affinity.implied_ttl_seconds
        return implied or self.affinity.ttl_seconds

    def binding(self, choice: ModelChoice) -> Binding:
        """Say what this turn alone has to remember."""
        requested = self.question.requested
        return Binding(
            anchor_model=choice.ranked[0].name,
            route_name=choice.route or "",
            requested_model=requested.name if requested else "",
            prefix_hash=self.session.prefix,
            last_used=self.now,
        )


@dataclass(frozen=True, slots=True)
class _Known:
    """What is remembered of a session whose model is there still, and serves this request."""

    binding: Binding
    choice: ModelChoice
    """Of its model."""


async def choose_in_session(
    question: ModelQuestion, request: Request, value: JsonObject, *, services: Services, record: Record
) -> SessionChoice:
    """Choose; `value` is the body after filters.

    Raises:
        RequestError: the conversation, or a header that is about sessions, cannot be read.
    """
    if question.preferences is None:
        return SessionChoice(await choose_model(question, request, (), services=services, record=record))
    affinity = services.plan.affinity
    conversation = read_conversation(request.api, value)
    budget = _budget(request.headers, affinity)
    implies = affinity.implied_ttl_seconds > 0 or affinity.user_only or budget is not None
    session = session_key(affinity, request.api, request.headers, value, conversation, implies=implies)
    if session is None:
        return SessionChoice(await choose_model(question, request, conversation, services=services, record=record))
    turn = _Turn(question, request, value, session, budget, services, time.time())
    stored = await services.sessions.read(session.key)
    known = _recall(turn, stored) if stored is not None else None
    made = _without_asking(turn, known) if known is not None else None
    choice = made or await choose_model(question, request, conversation, services=services, record=record)
    if not choice.ranked:
        return SessionChoice(choice, session)
    if budget is not None:
        decided = await _within_budget(turn, budget, known, choice)
    elif stored is None and turn.is_pinning and choice.route:
        decided = await _claim(turn, choice)
    else:
        decided = await _remember(turn, known, choice)
    record_choice(decided.choice, question.preferences, record)
    return decided


def _budget(headers: Mapping[str, str], affinity: Affinity) -> Budget | None:
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


def _recall(turn: _Turn, stored: bytes) -> _Known | None:
    """Read what is kept, and choose its model; the others of its preference may still stand in for it."""
    binding = decode_binding(stored)
    services, preferences, api = turn.services, turn.question.preferences, turn.request.api
    anchor = _resolved(turn, binding.anchor_model) if binding is not None else None
    if binding is None or anchor is None or api not in anchor.model.routes:
        return None
    route = binding.route_name or None
    preference = preferences.by_name.get(binding.route_name) if preferences else None
    if preference is None or anchor.name not in {model.name for model in preference.models}:
        return _Known(binding, ModelChoice((anchor,), route, "pinned", ""))
    serving = [model for model in preference.models if api in model.model.routes and model.name != anchor.name]
    ranked = (anchor, *rank(serving, preference.prefer, services.measures))
    return _Known(binding, ModelChoice((preference.start(ranked), *ranked[1:]), route, "pinned", ""))


def _without_asking(turn: _Turn, known: _Known) -> ModelChoice | None:
    previous = known.binding
    if turn.is_pinning and previous.route_name:
        return _pinned(known)
    requested = turn.question.requested.name if turn.question.requested else ""
    is_same_lane = previous.requested_model == requested and previous.is_warm(turn.now, turn.session.prefix)
    if turn.affinity.user_only and is_same_lane and not speaks_as_user(turn.request.api, turn.value):
        return replace(known.choice, rung="not_user_turn", reason="the session's model goes on")
    return None


async def _claim(turn: _Turn, choice: ModelChoice) -> SessionChoice:
    """Pin a session; of two first requests at the same time one decides for both."""
    binding = turn.binding(choice)
    stored = await turn.services.sessions.claim(
        turn.session.key, binding.encode(), ttl_seconds=turn.ttl_seconds, max_entries=turn.affinity.max_entries
    )
    winner = _recall(turn, stored)
    if winner is None or winner.binding.anchor_model == binding.anchor_model:
        return SessionChoice(choice, turn.session)
    return SessionChoice(_pinned(winner), turn.session, is_pinned=True)


async def _remember(turn: _Turn, known: _Known | None, choice: ModelChoice) -> SessionChoice:
    binding = turn.binding(choice)
    is_kept = known is not None and known.binding.anchor_model == binding.anchor_model
    if known is not None and is_kept:
        binding = replace(binding, route_name=binding.route_name or known.binding.route_name)
    await _write(turn, binding)
    return SessionChoice(choice, turn.session, is_kept, known is not None and not is_kept)


async def _within_budget(turn: _Turn, budget: Budget, known: _Known | None, choice: ModelChoice) -> SessionChoice:
    def price(name: str) -> Price | None:
        model = _resolved(turn, name)
        return turn.services.measures.price(model) if model is not None else None

    tokens = len(turn.request.body) // _BYTES_PER_TOKEN
    previous = known.binding if known is not None else None
    judgement = judge(previous, turn.binding(choice), budget=budget, prices=price, tokens=tokens, now=turn.now)
    await _write(turn, judgement.binding)
    if known is not None and judgement.keeps_anchor:
        reason = f"changing to {choice.ranked[0].name} costs more than {budget.percent:g} percent"
        kept = replace(known.choice, rung="routing_budget", reason=reason)
        return SessionChoice(kept, turn.session, is_pinned=True, wants_usage=True)
    return SessionChoice(choice, turn.session, judgement.verdict == "same_model", judgement.switches, wants_usage=True)


def _resolved(turn: _Turn, name: str) -> ResolvedModel | None:
    try:
        return resolve_model(turn.services.plan.models, name)
    except GatewayError:
        return None


async def _write(turn: _Turn, binding: Binding) -> None:
    await turn.services.sessions.write(
        turn.session.key, binding.encode(), ttl_seconds=turn.ttl_seconds, max_entries=turn.affinity.max_entries
    )


def _pinned(known: _Known) -> ModelChoice:
    return replace(known.choice, rung="pinned", reason=f'route "{known.binding.route_name}" of the session')
