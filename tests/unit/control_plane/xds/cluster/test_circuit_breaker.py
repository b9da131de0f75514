import pytest

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.cluster.circuit_breaker import build_chain_breakers, build_circuit_breakers


def test_retries_take_part_of_the_requests_unless_counted() -> None:
    [budget] = build_circuit_breakers(ir.CircuitBreaker(retry_budget_percent=30)).thresholds
    assert budget.retry_budget is not None
    assert budget.retry_budget.budget_percent == api.type_v3.Percent(value=30)
    [counted] = build_circuit_breakers(ir.CircuitBreaker(max_retries=7)).thresholds
    assert (counted.max_retries, counted.retry_budget) == (7, None)


@pytest.mark.parametrize(("requests", "percent", "retries"), [(50, 20, 10), (10, 20, 3), (10_000, 50, 5000)])
def test_the_budget_of_a_chain_is_a_number_for_its_requests_count_elsewhere(
    requests: int, percent: float, retries: int
) -> None:
    [limits] = build_chain_breakers(ir.CircuitBreaker(max_requests=requests, retry_budget_percent=percent)).thresholds
    assert (limits.max_retries, limits.retry_budget) == (retries, None)
