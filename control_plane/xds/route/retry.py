"""ir.Retry -> Envoy's retry policy: what is tried again, where, and after how long."""

from datetime import timedelta
from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.retry_after import RETRY_AFTER
from protos.contract.headers import OWN_FAULT_HEADER, RETRY_AFTER_HEADER, RETRY_HEADER

_OTHER_ENDPOINT_TRIES: Final = 10
"""Balancers choose at random: of two endpoints the one that failed would come up again in a few choices now and then."""


def build_retry_policy(route: ir.Route, chain: ir.Chain | None = None) -> api.route.RetryPolicy:
    """Build a route's retry policy; that of a chain of agents goes on to the next member, that of an upstream to an endpoint.

    One member's `retry-after` says nothing about the next: only what the attempt stage says of all of them is obeyed. It also
    marks answers whose body says that another attempt may do better.
    """
    policy = _basic(route, wait_header=RETRY_AFTER_HEADER if chain else RETRY_AFTER)
    if chain is None or not chain.is_of_models:
        policy.retry_host_predicate = [_other_endpoint()]
        policy.host_selection_retry_max_attempts = _OTHER_ENDPOINT_TRIES
    if chain is not None and chain.is_of_models:
        policy.retry_on = ",".join([policy.retry_on, "retriable-headers"])
        policy.retriable_headers = [api.route.HeaderMatcher(name=header, present_match=True) for header in _marks(route)]
    elif chain is not None:
        policy.retry_priority = _next_member()
    return policy


def _basic(route: ir.Route, *, wait_header: str) -> api.route.RetryPolicy:
    retry = route.retry
    policy = api.route.RetryPolicy(
        retry_on=",".join(retry.on),
        num_retries=retry.attempts,
        retriable_status_codes=sorted(retry.statuses),
        per_try_timeout=_wait_for_headers(route),
        per_try_idle_timeout=api.duration(route.idle_timeout_seconds),
        # Jittered: the wait before retry n is random, at most base * (2^n - 1).
        retry_back_off=api.route.RetryPolicyRetryBackOff(
            base_interval=api.duration(retry.base_backoff_seconds), max_interval=api.duration(retry.max_backoff_seconds)
        ),
    )
    if retry.honours_retry_after:
        policy.rate_limited_retry_back_off = api.route.RetryPolicyRateLimitedRetryBackOff(
            reset_headers=[api.route.RetryPolicyResetHeader(name=wait_header)],
            max_interval=api.duration(retry.max_backoff_seconds),
        )
    return policy


def _marks(route: ir.Route) -> tuple[str, ...]:
    return (RETRY_HEADER, OWN_FAULT_HEADER) if route.retry.on_own_fault else (RETRY_HEADER,)


def _wait_for_headers(route: ir.Route) -> timedelta | None:
    """Bound the wait for headers, unless the bound of silence is the same.

    When the time for headers is over, Envoy stops measuring silence until something comes, even where headers are there: a
    stream that falls silent before that would last as long as its client.
    """
    if route.idle_timeout_seconds == route.response_timeout_seconds:
        return None
    return api.duration(route.response_timeout_seconds)


def _next_member() -> api.route.RetryPolicyRetryPriority:
    """Go to the next member that is well and was not tried; when all were, begin again.

    Members are priorities to Envoy. Why an attempt failed does not reach this choice, so no failure leads to the same member
    at once: what was silent or rate limited is not asked again before the others were.
    """
    previous = api.previous_priorities.PreviousPrioritiesConfig(update_frequency=1)
    return api.route.RetryPolicyRetryPriority(
        name="envoy.retry_priorities.previous_priorities", typed_config=api.pack(previous)
    )


def _other_endpoint() -> api.route.RetryPolicyRetryHostPredicate:
    """Avoid the endpoint that failed where there is another one."""
    return api.route.RetryPolicyRetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts", typed_config=api.pack(api.previous_hosts.PreviousHostsPredicate())
    )
