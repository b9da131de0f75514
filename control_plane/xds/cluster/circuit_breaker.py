"""Circuit breakers: above the limits Envoy answers 503 at once. Retries have a budget of their own."""

from typing import Final

from control_plane import ir
from control_plane.xds import api

_FEW_RETRIES: Final = 3
"""Minimum of concurrent retries, however few requests are active."""

UNLIMITED: Final = ir.CircuitBreaker(max_connections=1 << 30, max_pending_requests=1 << 30, max_requests=1 << 30)
"""For clusters that lead to others, which have limits of their own."""


def build_circuit_breakers(breaker: ir.CircuitBreaker) -> api.cluster.CircuitBreakers:
    """Build the limits of an upstream."""
    limits = _limits(breaker)
    if breaker.max_retries is None:
        limits.retry_budget = api.cluster.CircuitBreakersThresholdsRetryBudget(
            budget_percent=api.type_v3.Percent(value=breaker.retry_budget_percent), min_retry_concurrency=_FEW_RETRIES
        )
    else:
        limits.max_retries = breaker.max_retries
    return api.cluster.CircuitBreakers(thresholds=[limits])


def build_chain_breakers(breaker: ir.CircuitBreaker) -> api.cluster.CircuitBreakers:
    """Build the limits of a chain, whose members have limits of their own.

    Envoy counts a chain's requests at its members, so a share of the chain's own requests would be 0: the budget is a
    share of the maximum of active requests.
    """
    return _with_retries(_limits(breaker), breaker)


def build_retry_breakers(breaker: ir.CircuitBreaker) -> api.cluster.CircuitBreakers:
    """Build the retry budget of a chain, as above, without the limits of its members."""
    return _with_retries(_limits(UNLIMITED), breaker)


def _with_retries(limits: api.cluster.CircuitBreakersThresholds, breaker: ir.CircuitBreaker) -> api.cluster.CircuitBreakers:
    budget = max(_FEW_RETRIES, int(breaker.max_requests * breaker.retry_budget_percent / 100))
    limits.max_retries = budget if breaker.max_retries is None else breaker.max_retries
    return api.cluster.CircuitBreakers(thresholds=[limits])


def _limits(breaker: ir.CircuitBreaker) -> api.cluster.CircuitBreakersThresholds:
    return api.cluster.CircuitBreakersThresholds(
        max_connections=breaker.max_connections,
        max_pending_requests=breaker.max_pending_requests,
        max_requests=breaker.max_requests,
        # Statistics of remaining requests, for `plano status`.
        track_remaining=True,
    )
