"""What a change of model costs, and when a session may afford it."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.routing.affinity.routing_budget import Judgement, judge
from ext_proc.routing.affinity.sessions import Binding, Budget
from ext_proc.routing.models.measures import Price

PRICES = {"cheap": Price(1, 2, 0.1), "dear": Price(10, 20, 1.0), "plain": Price(1, 2)}
BUDGET = Budget(percent=20)
TOKENS = 100_000


def candidate(model: str, **changes: object) -> Binding:
    made = Binding(anchor_model=model, route_name=f"for {model}", requested_model="asked", prefix_hash="p", last_used=0.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def turn(previous: Binding | None, model: str, now: float, *, budget: Budget = BUDGET, prefix: str = "p") -> Judgement:
    asked = candidate(model, last_used=now, prefix_hash=prefix)
    return judge(previous, asked, budget=budget, prices=PRICES.get, tokens=TOKENS, now=now)


def session(model: str, turns: int = 1, *, budget: Budget = BUDGET) -> Binding:
    """A session that has asked one model so often, ten seconds apart."""
    binding = turn(None, model, 0, budget=budget).binding
    for number in range(1, turns):
        binding = turn(binding, model, 10.0 * number, budget=budget).binding
    return binding


def test_a_session_begins_with_the_choice() -> None:
    judged = turn(None, "cheap", 5)
    assert (judged.verdict, judged.binding.anchor_model, judged.binding.default_model) == ("new_session", "cheap", "cheap")
    assert judged.binding.baseline_usd == 0


def test_the_same_model_costs_nothing_but_counts() -> None:
    judged = turn(session("cheap"), "cheap", 10)
    assert judged.verdict == "same_model"
    assert judged.binding.baseline_usd == pytest.approx(0.01)  # 100,000 tokens at 0.1 dollars a million
    assert not judged.switches


def test_a_dear_model_is_beyond_the_budget_and_its_change_is_refused() -> None:
    judged = turn(session("cheap", 5), "dear", 60)
    # 100,000 tokens anew for 1 dollar, against 20 percent of 5 cents.
    assert judged.verdict == "over_budget"
    assert judged.keeps_anchor
    assert (judged.binding.anchor_model, judged.binding.route_name) == ("cheap", "for cheap")
    assert (judged.binding.switches, judged.binding.switch_spend_usd) == (0, 0)


def test_what_saves_money_is_free() -> None:
    judged = turn(session("dear"), "plain", 10)
    # Anew for 0.10 dollars, where the cache would have cost as much.
    assert judged.verdict == "free"
    assert (judged.binding.anchor_model, judged.binding.switches, judged.binding.switch_spend_usd) == ("plain", 1, 0)


def test_a_large_budget_is_used_up() -> None:
    budget = Budget(percent=100)
    binding = session("dear", 20, budget=budget)
    assert binding.baseline_usd == pytest.approx(1.9)
    judged = turn(binding, "cheap", 210, budget=budget)
    assert judged.verdict == "free"
    back = turn(judged.binding, "dear", 220, budget=budget)
    # It is warm there still: only the difference of cached prices is to be paid.
    assert back.verdict == "within_budget"
    assert back.binding.switch_spend_usd == pytest.approx((TOKENS * 1.0 - TOKENS * 0.1) / 1e6)
    assert back.binding.switches == 2


def test_without_a_price_the_choice_stands() -> None:
    judged = turn(session("cheap"), "unpriced", 10)
    assert (judged.verdict, judged.binding.anchor_model) == ("no_price", "unpriced")


@pytest.mark.parametrize(("now", "prefix"), [(301.0, "p"), (10.0, "other")])
def test_a_cold_session_may_begin_anew(now: float, prefix: str) -> None:
    binding = replace(session("cheap", 2), last_used=0.0, switch_spend_usd=0.5)
    judged = turn(binding, "dear", now, prefix=prefix)
    assert (judged.verdict, judged.binding.default_model, judged.binding.switch_spend_usd) == ("new_session", "dear", 0)
    kept = turn(binding, "dear", now, prefix=prefix, budget=replace(BUDGET, replenishes=False))
    assert (kept.binding.switch_spend_usd, kept.binding.baseline_usd) == (0.5, binding.baseline_usd)


@given(
    st.lists(st.tuples(st.sampled_from(["cheap", "dear", "plain", "unpriced"]), st.floats(0, 400)), max_size=30),
    st.floats(0, 100),
)
def test_what_was_spent_never_exceeds_what_is_allowed(turns: list[tuple[str, float]], percent: float) -> None:
    budget, binding, now = Budget(percent=percent), None, 0.0
    for model, pause in turns:
        now += pause
        judged = turn(binding, model, now, budget=budget)
        before, binding = binding, judged.binding
        assert binding.switch_spend_usd <= percent / 100 * binding.baseline_usd + 1e-9
        assert binding.anchor_model == (before.anchor_model if judged.keeps_anchor and before else model)
        assert binding.last_used == now
        assert len(binding.history) <= 8
