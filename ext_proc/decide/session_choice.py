"""Which model answers a request of a session: the one that the session keeps, or the one that preferences choose anew.

| a session that is known | and | then |
| --- | --- | --- |
| has a routing budget | the choice is another model than before | it changes if the budget allows it |
| is named by its client, or prompt caching wants it | has no budget | it keeps its model: nobody is asked |
| is under `route_on_user_only` | the last message is no user's, its model is warm | it keeps its model: nobody is asked |
"""

from dataclasses import dataclass, replace

from ext_proc.apis.conversation import read_conversation
from ext_proc.apis.session_facts import speaks_as_user
from ext_proc.codec.json_body import JsonObject
from ext_proc.decide.model_choice import ModelChoice, choose_model, record_choice, record_refused
from ext_proc.decide.request import Record, Request, Services
from ext_proc.decide.routing_input import ModelQuestion
from ext_proc.decide.session_request import Turn, read_turn
from ext_proc.decide.stored_session import Known, Memory, claim, keep, recall
from ext_proc.routing.affinity.routing_budget import judge
from ext_proc.routing.affinity.session_key import SessionKey
from ext_proc.routing.affinity.sessions import Budget
from ext_proc.routing.models.measures import Price
from protos.contract.metadata import METADATA_SESSION

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
    refused: ModelChoice | None = None
    """What a budget did not allow."""

    @property
    def metadata(self) -> dict[str, str]:
        """What attempts must know of it."""
        return {METADATA_SESSION: self.session.key} if self.session is not None and self.wants_usage else {}


async def choose_in_session(
    question: ModelQuestion, request: Request, value: JsonObject, *, services: Services, record: Record
) -> SessionChoice:
    """Choose; `value` is the body after filters.

    Raises:
        RequestError: the conversation, or a header that is about sessions, cannot be read.
    """
    if question.preferences is None:
        return SessionChoice(await choose_model(question, request, (), services=services, record=record))
    conversation = read_conversation(request.api, value)
    turn = read_turn(question, request, value, conversation, services)
    if turn is None:
        return SessionChoice(await choose_model(question, request, conversation, services=services, record=record))
    memory = await recall(turn)
    made = _without_asking(turn, memory.known) if memory.known is not None else None
    choice = made or await choose_model(question, request, conversation, services=services, record=record)
    if not choice.ranked:
        return SessionChoice(choice, turn.session)
    decided = await _settle(turn, memory, choice)
    record_choice(decided.choice, question.preferences, record)
    if decided.refused is not None and turn.budget is not None and turn.budget.records_refused:
        record_refused(decided.refused, question.preferences, record)
    return decided


def _without_asking(turn: Turn, known: Known) -> ModelChoice | None:
    previous = known.binding
    if turn.is_pinning and previous.route_name:
        return _pinned(known)
    is_same_lane = previous.requested_model == turn.requested_name and previous.is_warm(turn.now, turn.session.prefix)
    if turn.affinity.user_only and is_same_lane and not speaks_as_user(turn.request.api, turn.value):
        return replace(known.choice, rung="not_user_turn", reason="the session's model goes on")
    return None


async def _settle(turn: Turn, memory: Memory, choice: ModelChoice) -> SessionChoice:
    """Hold a choice against what the session was, and remember what it is now."""
    if turn.budget is not None:
        return await _within_budget(turn, turn.budget, memory.known, choice)
    if memory.is_blank and turn.is_pinning and choice.route:
        return await _claim(turn, choice)
    return await _remember(turn, memory.known, choice)


async def _within_budget(turn: Turn, budget: Budget, known: Known | None, choice: ModelChoice) -> SessionChoice:
    def price(name: str) -> Price | None:
        model = turn.resolve(name)
        return turn.services.measures.price(model) if model is not None else None

    tokens = len(turn.request.body) // _BYTES_PER_TOKEN
    previous = known.binding if known is not None else None
    judgement = judge(previous, turn.binding(choice), budget=budget, prices=price, tokens=tokens, now=turn.now)
    await keep(turn, judgement.binding)
    if known is not None and judgement.keeps_anchor:
        reason = f"changing to {choice.ranked[0].name} costs more than {budget.percent:g} percent"
        kept = replace(known.choice, rung="routing_budget", reason=reason)
        return SessionChoice(kept, turn.session, is_pinned=True, wants_usage=True, refused=choice)
    return SessionChoice(choice, turn.session, judgement.verdict == "same_model", judgement.switches, wants_usage=True)


async def _claim(turn: Turn, choice: ModelChoice) -> SessionChoice:
    """Pin a session; of two first requests at the same time one decides for both."""
    binding = turn.binding(choice)
    winner = await claim(turn, binding)
    if winner is None or winner.binding.anchor_model == binding.anchor_model:
        return SessionChoice(choice, turn.session)
    return SessionChoice(_pinned(winner), turn.session, is_pinned=True)


async def _remember(turn: Turn, known: Known | None, choice: ModelChoice) -> SessionChoice:
    binding = turn.binding(choice)
    is_kept = known is not None and known.binding.anchor_model == binding.anchor_model
    if known is not None and is_kept:
        binding = replace(binding, route_name=binding.route_name or known.binding.route_name)
    await keep(turn, binding)
    return SessionChoice(choice, turn.session, is_kept, known is not None and not is_kept)


def _pinned(known: Known) -> ModelChoice:
    return replace(known.choice, rung="pinned", reason=f'route "{known.binding.route_name}" of the session')
