"""ir.Retry -> Envoy's retry policy: conditions, hosts and back-off."""

from datetime import timedelta
from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.http_filters.retry_after import RETRY_AFTER
from protos.contract.headers import OWN_FAULT_HEADER, RETRY_AFTER_HEADER, RETRY_HEADER

_OTHER_ENDPOINT_TRIES: Final = 10
"""Load balancers choose at random: with two endpoints several choices may hit the failed one again."""


def build_retry_policy(route: ir.Route, chain: ir.Chain | None = None) -> api.route.RetryPolicy:
    """Build a route's retry policy; a chain of agents retries on the next member, an upstream on another endpoint.

    One member's `retry-after` does not apply to the next: only the attempt stage's value for all of them counts. The stage also
    marks answers whose body is retriable.
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
    """Bound the wait for headers, unless the idle timeout is the same.

    After the time for headers, Envoy does not measure idle time until the next byte, even if headers have arrived: a
    stream that stalls before that would last as long as its client.
    """
    if route.idle_timeout_seconds == route.response_timeout_seconds:
        return None
    return api.duration(route.response_timeout_seconds)


def _next_member() -> api.route.RetryPolicyRetryPriority:
    """Retry on the next healthy member that was not attempted; after all of them, start over.

    Members are priorities to Envoy. The reason of a failure is not available here, so no failure is retried on the same member
    at once: one that timed out or was rate limited is not retried before the others.
    """
    previous = api.previous_priorities.PreviousPrioritiesConfig(update_frequency=1)
    return api.route.RetryPolicyRetryPriority(
        name="envoy.retry_priorities.previous_priorities", typed_config=api.pack(previous)
    )


def _other_endpoint() -> api.route.RetryPolicyRetryHostPredicate:
    """Avoid the endpoint that failed, if there is another one."""
    return api.route.RetryPolicyRetryHostPredicate(
        name="envoy.retry_host_predicates.previous_hosts", typed_config=api.pack(api.previous_hosts.PreviousHostsPredicate())
    )
