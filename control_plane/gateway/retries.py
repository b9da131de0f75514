"""Retry policies per kind of upstream.

An agent may have side effects, so a request that may have reached it is not repeated: only earlier failures are retried. A
model call can be repeated. Either way the entry's `resilience.retries`, and `x-envoy-max-retries` and `x-envoy-retry-on` of a
trusted caller, decide.
"""

from collections.abc import Sequence
from typing import Final

from control_plane.config.model import Resilience
from control_plane.config.model.resilience import RetryCondition
from control_plane.ir import Retry

BEFORE_THE_REQUEST: Final = ("connect-failure", "refused-stream", "reset-before-request")
_BEFORE_THE_ANSWER = ("connect-failure", "refused-stream", "reset")
_TRANSIENT = (408, 409, 424, 429, "5xx")
"""Retriable 4xx: request timeout, lock conflict, failed model, too many requests."""

_USUAL_WAIT_SECONDS: Final = 2.0
"""After a longer `retry-after` another model is attempted."""


def agent_retry(settings: Resilience, max_retries: int | None) -> Retry:
    """Retry requests that cannot have reached the agent, and its 503."""
    return _retry(settings, (*BEFORE_THE_REQUEST, 503), max_retries)


def model_retry(settings: Resilience, max_retries: int | None) -> Retry:
    """Retry connection failures, resets before the response, and statuses of provider faults."""
    return _retry(settings, (*_BEFORE_THE_ANSWER, *_TRANSIENT), max_retries)


def filter_retry(settings: Resilience) -> Retry:
    """Retry requests that cannot have reached the filter: it may keep state, such as a session or a counter."""
    return _retry(settings, BEFORE_THE_REQUEST, None)


def chain_retries(turns: int, settings: Resilience, max_retries: int | None) -> int:
    """Return the number of retries of a chain: as configured, and at least enough for all members.

    An explicit limit of a listener has precedence.
    """
    return max(settings.retries.attempts, turns - 1) if max_retries is None else max_retries


def agent_failover(instances: Sequence[int]) -> int:
    """Return how many attempts a chain of agents has; `instances` has the number of instances of each.

    A retry goes to the next agent, and after the last one to the first again. If agents have several instances, one of which
    may be down, every agent gets two attempts, and the second one uses another instance.
    """
    return len(instances) * (2 if len(instances) > 1 and max(instances) > 1 else 1)


def model_failover(models: int, settings: Resilience) -> int:
    """Return how many attempts a chain of models has: each model may be retried once after a transient failure."""
    return models * (2 if settings.retries.attempts else 1)


def _retry(settings: Resilience, usual: tuple[RetryCondition, ...], max_retries: int | None) -> Retry:
    retries = settings.retries
    conditions = usual if retries.on is None else retries.on
    statuses = tuple(condition for condition in conditions if isinstance(condition, int))
    words = tuple(condition for condition in conditions if isinstance(condition, str))
    return Retry(
        on=(*words, "retriable-status-codes") if statuses else words,
        statuses=statuses,
        attempts=retries.attempts if max_retries is None else max_retries,
        base_backoff_seconds=retries.backoff.base,
        max_backoff_seconds=retries.backoff.max,
        honours_retry_after=retries.honour_retry_after != "ignore",
        longest_wait_seconds=_longest_wait(settings),
        on_own_fault=retries.on is None,
    )


def _longest_wait(settings: Resilience) -> float:
    retries = settings.retries
    match retries.honour_retry_after:
        case "wait":
            return retries.backoff.max
        case None:
            return min(_USUAL_WAIT_SECONDS, retries.backoff.max)
    return 0.0
