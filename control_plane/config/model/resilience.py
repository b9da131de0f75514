"""What keeps an upstream's faults from the caller: the `resilience` block of agents, filters, providers and endpoints."""

from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import BeforeValidator, Field
from pydantic_core import PydanticCustomError

from control_plane.config.model.types import Default, Duration, DurationOrZero, Section, Text, TypeName

RetryWord = Literal["connect-failure", "refused-stream", "reset-before-request", "reset", "gateway-error", "5xx"]
RETRY_WORDS: Final[tuple[str, ...]] = (
    "connect-failure",
    "refused-stream",
    "reset-before-request",
    "reset",
    "gateway-error",
    "5xx",
)


def _parse_condition(value: object) -> object:
    if isinstance(value, str) and value in RETRY_WORDS:
        return value
    if isinstance(value, int) and not isinstance(value, bool) and 400 <= value <= 599:
        return value
    words = ", ".join(RETRY_WORDS)
    raise PydanticCustomError("invalid_condition", f"should be a status from 400 to 599, or one of: {words}")


def _parse_wait(value: object) -> object:
    """Read the booleans of earlier versions."""
    if isinstance(value, bool):
        return "wait" if value else "ignore"
    return value


RetryCondition = Annotated[Any, BeforeValidator(_parse_condition), TypeName("status or text")]
Count = Annotated[int, Field(ge=1, le=1_000_000)]


class Backoff(Section):
    """How long to wait before trying again; jittered, and longer for each further retry."""

    base: Duration = 0.1
    """Wait before the first retry, at most."""
    max: Duration = 5.0
    """No wait is longer."""


class Retries(Section):
    """When a failed attempt is made again."""

    attempts: Annotated[int, Field(ge=0, le=10)] = 2
    """Retries after the first attempt, at least one per fallback; `max_retries` and `x-envoy-max-retries` win over it."""
    on: Annotated[
        tuple[RetryCondition, ...] | None,
        Default(
            "models: failures and resets before the answer, 408, 409, 424, 429 and every 5xx; with fallbacks also 401, 402, 403"
            " and 404 that mean the gateway's own key, account or model name; others: what cannot have reached them"
        ),
    ] = None
    """What is retried, or answered by a fallback: statuses from 400 to 599, and Envoy's words for failures, such as
    `connect-failure` and `reset`."""
    backoff: Annotated[Backoff, Field(default_factory=Backoff)]
    """How long to wait before trying again."""
    honour_retry_after: Annotated[
        Literal["wait", "failover", "ignore"] | None,
        BeforeValidator(_parse_wait),
        Default("waits of at most 2s are waited for; for longer ones the next fallback is asked"),
    ] = None
    """What is done about `retry-after`: `wait` for the same model, up to `backoff.max`; `failover` to the next one at once,
    where there is one; `ignore` it. `true` means `wait`, `false` means `ignore`."""
    budget_percent: Annotated[float, Field(gt=0, le=100)] = 20.0
    """Retries under way at a time, as a part of the requests under way; a few are always allowed."""


class Timeouts(Section):
    """How long to wait for what."""

    connect: Annotated[Duration | None, Default("`overrides.upstream_connect_timeout`")] = None
    """Bounds connecting."""
    first_byte: Annotated[
        Duration | None, Default("the listener's `timeout`; 12s for streams of models with fallbacks, if that is less")
    ] = None
    """Bounds the wait for the first token of a model's stream, or for the first byte of any other answer, per attempt."""
    whole: Annotated[
        Duration | None,
        Default(
            "the listener's `timeout`; with fallbacks 60s, or an equal part of that `timeout` for each model, if that is less"
        ),
    ] = None
    """Bounds the wait for a whole answer of a model, which comes all at once, per attempt."""
    idle: Annotated[Duration | None, Default("the listener's `idle_timeout`")] = None
    """Bounds silence in an answer."""
    total: DurationOrZero = 0.0
    """Bounds the whole exchange, retries included; `0s` does not."""


class CircuitBreaker(Section):
    """What may be under way at a time; more is refused at once with 503."""

    max_connections: Count = 10_000
    """Connections."""
    max_pending_requests: Count = 10_000
    """Requests that wait for a connection."""
    max_requests: Count = 10_000
    """Requests."""
    max_retries: Annotated[Count | None, Default("`retries.budget_percent` bounds them")] = None
    """Retries; takes the place of the budget."""


class OutlierDetection(Section):
    """When an instance that fails is left alone."""

    consecutive_errors: Annotated[int, Field(ge=1, le=1000)] = 5
    """Failures in a row: 5xx answers, failed connections, resets, and answers that do not come in time."""
    ejection_time: Duration = 10.0
    """How long it is left alone; then it is used again."""
    max_ejection_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Never more of the instances at a time, though one always can be; `0` ejects none."""


class HealthCheck(Section):
    """Asking instances whether they are well."""

    path: Text
    """Path of the request; a status from 200 to 299 means well. The path of the URL does not go before it."""
    interval: Duration = 5.0
    """Time between requests."""


class Resilience(Section):
    """What keeps an upstream's faults from the caller; what an entry leaves out comes from `overrides.resilience`."""

    retries: Annotated[Retries, Field(default_factory=Retries)]
    """When a failed attempt is made again."""
    timeouts: Annotated[Timeouts, Field(default_factory=Timeouts)]
    """How long to wait for what."""
    circuit_breaker: Annotated[CircuitBreaker, Field(default_factory=CircuitBreaker)]
    """What may be under way at a time."""
    outlier_detection: Annotated[OutlierDetection, Field(default_factory=OutlierDetection)]
    """When an instance that fails is left alone."""
    health_check: Annotated[HealthCheck | None, Default("none: requests tell who is well")] = None
    """Asking instances whether they are well."""
    load_balancing: Literal["round_robin", "least_request", "random", "ring_hash"] = "least_request"
    """How one of several instances is chosen; `ring_hash` by a request header."""
    hash_header: Annotated[Text | None, Default("needed for `ring_hash`")] = None
    """Request header whose equal values meet the same instance."""


_Block = TypeVar("_Block", bound=Section)


def layered(base: _Block, over: _Block | None) -> _Block:
    """Return `base` with every value that `over` writes, blocks merged field by field."""
    if over is None:
        return base
    return base.model_copy(update={name: _over(getattr(base, name), getattr(over, name)) for name in over.model_fields_set})


def _over(base: Any, over: Any) -> Any:
    both_blocks = isinstance(base, Section) and isinstance(over, Section)
    return layered(base, over) if both_blocks else over
