"""When Envoy tries again, per kind of upstream.

An agent may act in the world, so a request that may have reached it is not sent twice: only failures before that are retried. A
model call can be repeated. Either way `x-envoy-max-retries` and `x-envoy-retry-on` of a trusted caller decide.
"""

from control_plane.ir.model import Retry

DEFAULT_ATTEMPTS = 2

_BEFORE_THE_REQUEST = ("connect-failure", "refused-stream", "reset-before-request")
_TRANSIENT = (429, 500, 502, 503, 504)


def agent_retry(max_retries: int | None) -> Retry:
    """Retry what cannot have reached the agent, and its 503."""
    on = (*_BEFORE_THE_REQUEST, "retriable-status-codes")
    return Retry(on=on, statuses=(503,), attempts=DEFAULT_ATTEMPTS if max_retries is None else max_retries)


def model_retry(max_retries: int | None) -> Retry:
    """Retry connection failures, resets before the response, 429 and transient 5xx."""
    on = ("connect-failure", "refused-stream", "reset", "retriable-status-codes")
    return Retry(on=on, statuses=_TRANSIENT, attempts=DEFAULT_ATTEMPTS if max_retries is None else max_retries)


def filter_retry() -> Retry:
    """Retry what cannot have reached the filter: it may keep state, such as a session or a counter."""
    return Retry(on=_BEFORE_THE_REQUEST, attempts=DEFAULT_ATTEMPTS)
