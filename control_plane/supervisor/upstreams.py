"""How upstreams do, as `plano status` shows it: their instances, circuit breakers, retries, and failovers between models.

An upstream is one cluster of Envoy: of an agent, a filter or a model, a chain of them, or a target of chains.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class InstanceState(StrEnum):
    """Whether an instance gets requests."""

    HEALTHY = "healthy"
    EJECTED = "ejected"
    """Left alone for its ejection time, after errors in a row."""
    UNHEALTHY = "unhealthy"
    """Its health check fails, or none has succeeded yet."""
    LEAVING = "leaving"
    """No longer configured; finishes what it has begun."""


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
    """Whether the limit is reached: what would go beyond it is answered 503 at once."""
    remaining: int | None
    """None where the limit is a share of what is under way, as a budget of retries is."""
    overflows: int
    """How often something was refused for it."""


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
    """Why the attempt before failed: a status, or `no_answer`. Each retry of a chain is a failover to its next member."""
    attempts_per_answer: float | None
    """None before the first answer."""

    @property
    def is_chain(self) -> bool:
        """Whether it consists of other upstreams."""
        return self.name.startswith("chain/")

    @property
    def has_traffic(self) -> bool:
        """Whether anything was asked of it."""
        return bool(self.requests or self.answers or self.retries)

    @property
    def has_trouble(self) -> bool:
        """Whether an instance gets no requests, or a limit is or was reached."""
        return (
            not (self.instances or self.is_chain)
            or any(instance.state is not InstanceState.HEALTHY for instance in self.instances)
            or any(breaker.open or breaker.overflows for breaker in self.breakers.values())
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Failover:
    """How often a request went on from one model to another."""

    from_model: str
    to_model: str
    reason: str
    count: int
