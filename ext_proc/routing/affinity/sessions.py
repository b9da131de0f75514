"""How sessions keep their model: the settings, what is remembered of a session, and where."""

from dataclasses import asdict, dataclass, replace
from typing import Final, Protocol

import orjson

WARM_SECONDS: Final = 300.0
"""How long providers keep a prompt in their caches after its last use."""
LONGEST_HISTORY: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What changing the model of a session may cost."""

    percent: float
    """Share of what the session would have cost without a change of model."""
    replenishes: bool = True
    """Whether a cold session starts counting anew."""
    cached_share: float = 0.1
    """Price of cached input, as a part of the price of input, where the catalogue has none."""
    records_refused: bool = False
    """Whether a change that it does not allow is told in log and metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """Settings of sessions."""

    ttl_seconds: float = 600.0
    """How long a session keeps its model after its last request."""
    max_entries: int = 10_000
    tenant_header: str = ""
    """In lower case; its value separates sessions. Empty: there are no tenants."""
    implied_ttl_seconds: float = 0.0
    """The same for conversations whose clients name no session; 0: these keep nothing."""
    user_only: bool = False
    """Whether only a user's own message can change the model."""
    budget: Budget | None = None
    store_url: str = ""
    """Where Envoy passes commands on to the Redis that keeps sessions; empty: they are kept on this machine."""


@dataclass(frozen=True, slots=True)
class Use:
    """When a session used a model, and how much that model's cache has of it."""

    model: str
    last_used: float
    cached_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """What is remembered of a session. Costs are US dollars, times are seconds since 1970."""

    anchor_model: str
    """Full name of the model that answers it."""
    route_name: str
    """The preference that was found."""
    requested_model: str
    default_model: str = ""
    """The model that it began with: what it would have cost is counted with its price."""
    prefix_hash: str = ""
    last_used: float
    cached_tokens: int = 0
    """Cached tokens of the last request; 0 until an answer has reported them."""
    baseline_usd: float = 0.0
    switch_spend_usd: float = 0.0
    switches: int = 0
    history: tuple[Use, ...] = ()
    """By model, the last used one last."""

    def is_warm(self, now: float, prefix: str) -> bool:
        """Tell if the anchor's provider still has the conversation in its cache."""
        return 0 <= now - self.last_used <= WARM_SECONDS and prefix == self.prefix_hash

    def used(self, model: str, now: float, tokens: int) -> "Binding":
        """Note that a model was asked."""
        kept = tuple(use for use in self.history if use.model != model)[-LONGEST_HISTORY + 1 :]
        return replace(self, last_used=now, history=(*kept, Use(model, now, tokens)))

    def encode(self) -> bytes:
        """Write it as JSON."""
        return orjson.dumps(asdict(self))


def decode_binding(value: bytes) -> Binding | None:
    """Read a binding; None for anything that is none, such as one of another version."""
    try:
        fields = orjson.loads(value)
        return Binding(**{**fields, "history": tuple(Use(**use) for use in fields["history"])})
    except (orjson.JSONDecodeError, TypeError, KeyError, ValueError):
        return None


class SessionStore(Protocol):
    """Where bindings are kept, for all workers. Never raises, and never keeps a request waiting: what fails knows nothing."""

    async def read(self, key: str) -> bytes | None:
        """Return what is kept under a key, None if nothing is, or nobody knows."""
        ...

    async def write(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> None:
        """Keep something for a while."""
        ...

    async def claim(self, key: str, value: bytes, *, ttl_seconds: float, max_entries: int) -> bytes:
        """Keep something unless there is something already; return what is kept then."""
        ...

    async def update(self, key: str, value: bytes) -> None:
        """Replace what is kept, for as long as it would have been kept anyway."""
        ...

    async def aclose(self) -> None:
        """Let go of files and connections."""
        ...


class NoSessions:
    """Remembers nothing."""

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
