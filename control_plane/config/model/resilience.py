"""The `resilience` block of agents, filters, providers and endpoints: retries, timeouts, circuit breaking and health."""

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
    """The wait before retries: jittered, and longer for each further one."""

    base: Duration = 0.1
    """Maximum wait before the first retry."""
    max: Duration = 5.0
    """Maximum of all waits."""


class Retries(Section):
    """When a failed attempt is retried."""

    attempts: Annotated[int, Field(ge=0, le=10)] = 2
    """Retries after the first attempt, at least one per fallback; `max_retries` and `x-envoy-max-retries` override it."""
    on: Annotated[
        tuple[RetryCondition, ...] | None,
        Default(
            "models: failures and resets before the answer, 408, 409, 424, 429 and every 5xx; with fallbacks also 401, 402, 403"
            " and 404 that mean the gateway's own key, account or model name; others: what cannot have reached them"
        ),
    ] = None
    """Failures that are retried, or answered by a fallback: statuses from 400 to 599, and Envoy's conditions, such as
    `connect-failure` and `reset`."""
    backoff: Annotated[Backoff, Field(default_factory=Backoff)]
    """Back-off."""
    honour_retry_after: Annotated[
        Literal["wait", "failover", "ignore"] | None,
        BeforeValidator(_parse_wait),
        Default("waits of at most 2s are waited for; for longer ones the next fallback is asked"),
    ] = None
    """Handling of `retry-after`: `wait` for the same model, up to `backoff.max`; `failover` to the next one at once, if there
    is one; `ignore` it. `true` means `wait`, `false` means `ignore`."""
    budget_percent: Annotated[float, Field(gt=0, le=100)] = 20.0
    """Active retries, as a share of the active requests; a few are always allowed."""


class Timeouts(Section):
    """Timeouts."""

    connect: Annotated[Duration | None, Default("`overrides.upstream_connect_timeout`")] = None
    """Connect timeout."""
    first_byte: Annotated[
        Duration | None, Default("the listener's `timeout`; 12s for streams of models with fallbacks, if that is less")
    ] = None
    """Timeout of the first token of a model's stream, or of the first byte of any other answer, per attempt."""
    whole: Annotated[
        Duration | None,
        Default(
            "the listener's `timeout`; with fallbacks 60s, or an equal part of that `timeout` for each model, if that is less"
        ),
    ] = None
    """Timeout of a whole answer of a model, per attempt."""
    idle: Annotated[Duration | None, Default("the listener's `idle_timeout`")] = None
    """Timeout of the next byte within an answer."""
    total: DurationOrZero = 0.0
    """Timeout of the whole exchange, including retries; `0s` for none."""


class CircuitBreaker(Section):
    """Maximum of active connections and requests; more get 503 at once."""

    max_connections: Count = 10_000
    """Connections."""
    max_pending_requests: Count = 10_000
    """Requests that wait for a connection."""
    max_requests: Count = 10_000
    """Requests."""
    max_retries: Annotated[Count | None, Default("`retries.budget_percent` bounds them")] = None
    """Retries; replaces the budget."""


class OutlierDetection(Section):
    """When a failing instance is ejected."""

    consecutive_errors: Annotated[int, Field(ge=1, le=1000)] = 5
    """Consecutive failures: 5xx answers, failed connections, resets, and timeouts."""
    ejection_time: Duration = 10.0
    """How long an instance stays ejected."""
    max_ejection_percent: Annotated[int, Field(ge=0, le=100)] = 50
    """Maximum share of ejected instances, but at least one; `0` disables ejection."""


class HealthCheck(Section):
    """Active health checks of instances."""

    path: Text
    """Path of the request; a status from 200 to 299 means healthy. The path of the URL is not prepended."""
    interval: Duration = 5.0
    """Time between requests."""


class Resilience(Section):
    """Retries, timeouts, circuit breaking and health of an upstream; defaults come from `overrides.resilience`."""

    retries: Annotated[Retries, Field(default_factory=Retries)]
    """When a failed attempt is retried."""
    timeouts: Annotated[Timeouts, Field(default_factory=Timeouts)]
    """Timeouts."""
    circuit_breaker: Annotated[CircuitBreaker, Field(default_factory=CircuitBreaker)]
    """Maximum of active connections and requests."""
    outlier_detection: Annotated[OutlierDetection, Field(default_factory=OutlierDetection)]
    """When a failing instance is ejected."""
    health_check: Annotated[HealthCheck | None, Default("none: requests tell who is well")] = None
    """Active health checks of instances."""
    load_balancing: Literal["round_robin", "least_request", "random", "ring_hash"] = "least_request"
    """Load balancing policy; `ring_hash` by a request header."""
    hash_header: Annotated[Text | None, Default("needed for `ring_hash`")] = None
    """Request header by whose value the instance is selected."""


_Block = TypeVar("_Block", bound=Section)


def layered(base: _Block, over: _Block | None) -> _Block:
    """Return `base` with the values that are set in `over`, merged field by field."""
    if over is None:
        return base
    return base.model_copy(update={name: _over(getattr(base, name), getattr(over, name)) for name in over.model_fields_set})


def _over(base: Any, over: Any) -> Any:
    both_blocks = isinstance(base, Section) and isinstance(over, Section)
    return layered(base, over) if both_blocks else over
