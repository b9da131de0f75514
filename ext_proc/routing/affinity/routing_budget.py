"""The routing budget: the cost of a change of model, compared with the session's cost without changes.

A provider's prompt cache makes the input of a continued conversation cheap. A change of model pays for all of it
again, unless the new model has it in its cache from an earlier request.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

from ext_proc.routing.affinity.sessions import WARM_SECONDS, Binding, Budget
from ext_proc.routing.models.measures import Price

Verdict = Literal["new_session", "same_model", "no_price", "free", "within_budget", "over_budget"]

Prices = Callable[[str], Price | None]
"""Looks up the price of a model by its full name."""


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether the candidate answers, and the new binding."""

    verdict: Verdict
    binding: Binding
    """Its anchor is the model that answers."""

    @property
    def keeps_anchor(self) -> bool:
        """Whether the candidate is rejected."""
        return self.verdict == "over_budget"

    @property
    def switches(self) -> bool:
        """Whether the session changes its model."""
        return self.verdict in ("no_price", "free", "within_budget")


def judge(
    previous: Binding | None, candidate: Binding, *, budget: Budget, prices: Prices, tokens: int, now: float
) -> Judgement:
    """Judge a candidate, whose binding only has this request. `tokens` is the estimated length of the conversation."""
    if previous is None or not previous.is_warm(now, candidate.prefix_hash):
        return Judgement("new_session", _begin(previous, candidate, budget, tokens, now))
    context = previous.cached_tokens or tokens
    spent = previous.baseline_usd + context * _cached(prices(previous.default_model), budget) / 1_000_000
    carried = replace(
        previous, baseline_usd=spent, requested_model=candidate.requested_model, prefix_hash=candidate.prefix_hash
    )
    if candidate.anchor_model == previous.anchor_model:
        return Judgement(
            "same_model", replace(carried.used(previous.anchor_model, now, context), route_name=candidate.route_name)
        )
    cost = _cost(previous, candidate.anchor_model, context, budget, prices, now)
    allowed = budget.percent / 100 * spent
    if cost is None:
        return Judgement("no_price", _switch(carried, candidate, 0.0, context, now))
    if cost <= 0:
        return Judgement("free", _switch(carried, candidate, 0.0, context, now))
    if previous.switch_spend_usd + cost <= allowed:
        return Judgement("within_budget", _switch(carried, candidate, cost, context, now))
    return Judgement("over_budget", carried.used(previous.anchor_model, now, context))


def _begin(previous: Binding | None, candidate: Binding, budget: Budget, tokens: int, now: float) -> Binding:
    begun = replace(candidate, default_model=candidate.anchor_model)
    if previous is not None and not budget.replenishes:
        begun = replace(begun, baseline_usd=previous.baseline_usd, switch_spend_usd=previous.switch_spend_usd)
    return begun.used(candidate.anchor_model, now, tokens)


def _switch(carried: Binding, candidate: Binding, cost: float, context: int, now: float) -> Binding:
    switched = replace(
        carried,
        anchor_model=candidate.anchor_model,
        route_name=candidate.route_name,
        switch_spend_usd=carried.switch_spend_usd + cost,
        switches=carried.switches + 1,
    )
    return switched.used(candidate.anchor_model, now, context)


def _cost(previous: Binding, candidate: str, context: int, budget: Budget, prices: Prices, now: float) -> float | None:
    """Return the additional cost of the conversation at the candidate; None if a price is missing."""
    there, here = prices(candidate), prices(previous.anchor_model)
    if there is None or here is None:
        return None
    known = (use.cached_tokens for use in previous.history if use.model == candidate and now - use.last_used <= WARM_SECONDS)
    warm = min(next(known, 0), context)
    dollars = (context - warm) * there.input + warm * _cached(there, budget) - context * _cached(here, budget)
    return dollars / 1_000_000


def _cached(price: Price | None, budget: Budget) -> float:
    if price is None:
        return 0.0
    return price.input * budget.cached_share if price.cached_input is None else price.cached_input
