"""Session affinity: settings, stored bindings, and the store's interface."""

from dataclasses import asdict, dataclass, replace
from typing import Final, Protocol

import orjson

WARM_SECONDS: Final = 300.0
"""How long providers cache a prompt after its last use."""
LONGEST_HISTORY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """The routing budget of a session."""

    percent: float
    """Share of the session's cost without changes of model."""
    replenishes: bool = True
    """Whether the count restarts when the cache has expired."""
    cached_share: float = 0.1
    """Price of cached input, as a part of the price of input, where the catalogue has none."""
    records_refused: bool = False
    """Whether a prevented change is recorded in log and metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """Settings of sessions."""

    ttl_seconds: float = 600.0
    """How long a session keeps its model after its last request."""
    max_entries: int = 10_000
    tenant_header: str = ""
    """Request header of the tenant, in lower case. Empty: no tenants."""
    implied_ttl_seconds: float = 0.0
    """The same for conversations without a named session; 0: these have no affinity."""
    user_only: bool = False
    """Whether only a user's own message can change the model."""
    budget: Budget | None = None
    store_url: str = ""
    """Envoy's address for Redis; empty: sessions are stored on this machine."""


@dataclass(frozen=True, slots=True)
class Use:
    """The last use of a model by a session, and how much of it is cached."""

    model: str
    last_used: float
    cached_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """A stored session. Costs are in US dollars, times in seconds since 1970."""

    anchor_model: str
    """Full name of the session's model."""
    route_name: str
    """The matching preference."""
    requested_model: str
    default_model: str = ""
    """The session's first model, with whose price the cost without changes is computed."""
    prefix_hash: str = ""
    last_used: float
    cached_tokens: int = 0
    """Tokens of the last request; 0 until an answer has reported them."""
    baseline_usd: float = 0.0
    switch_spend_usd: float = 0.0
    switches: int = 0
    history: tuple[Use, ...] = ()
    """By model, the last used one last."""

    def is_warm(self, now: float, prefix: str) -> bool:
        """Whether the anchor's provider still has the conversation in its cache."""
        return 0 <= now - self.last_used <= WARM_SECONDS and prefix == self.prefix_hash

    def used(self, model: str, now: float, tokens: int) -> "Binding":
        """Record the use of a model."""
        kept = tuple(use for use in self.history if use.model != model)[-LONGEST_HISTORY + 1 :]
        return replace(self, last_used=now, history=(*kept, Use(model, now, tokens)))

    def encode(self) -> bytes:
        """Write it as JSON."""
        return orjson.dumps(asdict(self))


def decode_binding(value: bytes) -> Binding | None:
    """Read a binding; None if it is invalid, such as one of another version."""
    try:
        fields = orjson.loads(value)
        return Binding(**{**fields, "history": tuple(Use(**use) for use in fields["history"])})
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        return None


class SessionStore(Protocol):
    """Stores bindings for all workers. Never raises and never blocks for long: after a failure a session is unknown."""

    async def read(self, key: str) -> bytes | None:
        """Return the value of a key; None if it is missing or the store fails."""
        ...

    async def write(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> None:
        """Store a value for some time."""
        ...

    async def claim(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> bytes:
        """Store a value unless there is one; return the stored value."""
        ...

    async def update(self, key: str, value: bytes) -> None:
        """Replace a value without changing its expiry."""
        ...

    async def aclose(self) -> None:
        """Close files and connections."""
        ...


class NoSessions:
    """A store that is always empty."""

    async def read(self, key: str) -> bytes | None:  # noqa: ARG002
        """See `SessionStore.read`."""
        return None

    async def write(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> None:
        """See `SessionStore.write`."""

    async def claim(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> bytes:  # noqa: ARG002
        """See `SessionStore.claim`."""
        return value

    async def update(self, key: str, value: bytes) -> None:
        """See `SessionStore.update`."""

    async def aclose(self) -> None:
        """See `SessionStore.aclose`."""
