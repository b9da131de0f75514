"""The state of upstreams for `plano status`: instances, circuit breakers, retries, and failovers between models.

An upstream is one Envoy cluster: an agent, a filter, a model, a chain, or a target of chains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class InstanceState(StrEnum):
    """The health of an instance."""

    HEALTHY = "healthy"
    EJECTED = "ejected"
    """Ejected after consecutive errors."""
    UNHEALTHY = "unhealthy"
    """Its health check fails, or none has succeeded yet."""
    LEAVING = "leaving"
    """No longer configured; finishes its active requests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamInstance:
    """One address of an upstream."""

    address: str
    state: InstanceState
    requests: int
    errors: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Breaker:
    """The limit of one resource of an upstream."""

    open: bool
    """Whether the limit is reached, so that further requests get 503."""
    remaining: int | None
    """None if the limit is a share of active requests, like a retry budget."""
    overflows: int
    """Number of rejections."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """One upstream since Envoy started."""

    name: str
    instances: tuple[UpstreamInstance, ...]
    """None for a chain: its targets have them."""
    breakers: Mapping[str, Breaker] = field(default_factory=dict)
    """By resource: connections, pending_requests, requests, retries."""
    requests: int
    """Sent to instances, each attempt counted."""
    answers: int
    """That went to clients after all attempts. None for a target: its chains answer."""
    failed: int
    """Answers that were a 5xx."""
    retries: int
    retries_that_helped: int
    retries_by_reason: Mapping[str, int] = field(default_factory=dict)
    """Reason of the previous attempt's failure (a status, or `no_answer`) -> number of retries."""
    attempts_per_answer: float | None
    """None before the first answer."""

    @property
    def is_chain(self) -> bool:
        """Whether it consists of other upstreams."""
        return self.name.startswith("chain/")

    @property
    def has_traffic(self) -> bool:
        """Whether it got requests."""
        return bool(self.requests or self.answers or self.retries)

    @property
    def has_trouble(self) -> bool:
        """Whether an instance is unavailable, or a limit is or was reached."""
        return (
            not (self.instances or self.is_chain)
            or any(instance.state is not InstanceState.HEALTHY for instance in self.instances)
            or any(breaker.open or breaker.overflows for breaker in self.breakers.values())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """The number of failovers from one model to another."""

    from_model: str
    to_model: str
    reason: str
    count: int
