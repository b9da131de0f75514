"""What else ext_proc must know: what listeners offer, filters, and the orchestrator's model."""

from dataclasses import dataclass
from enum import StrEnum

from control_plane.ir.listener import ListenerKind


class FilterType(StrEnum):
    """How a filter is called."""

    MCP = "mcp"
    HTTP = "http"


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One step of a filter chain."""

    id: str
    type: FilterType
    route: str
    tool: str
    path: str
    """Path of its URL, without a trailing slash."""
    passthrough_auth: bool
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentChoice:
    """An agent as one listener offers it."""

    id: str
    description: str
    route: str
    is_default: bool
    input_filters: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerPlan:
    """What ext_proc must know of a listener."""

    name: str
    kind: ListenerKind
    agents: tuple[AgentChoice, ...] = ()
    input_filters: tuple[str, ...] = ()
    continues_streams: bool = False
    """Whether streams are continued elsewhere when they are cut."""
    gates_streams: bool = True
    """Whether a stream's head is held until it says something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Who tells prices or latencies of models."""

    feed: str
    """Format of its answer: `models.dev`, `digitalocean` or `prometheus`."""
    route: str
    path: str
    """With its query."""
    interval_seconds: float = 0.0
    """Between questions; 0 asks until it has answered once."""
    aliases: tuple[tuple[str, str], ...] = ()
    """(name in a catalogue of prices, name of a model), sorted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """What changing the model of a session may cost."""

    percent: float
    """Share of what the session would have cost without a change of model."""
    replenishes: bool
    """Whether a cold session starts counting anew."""
    cached_share: float
    """Price of cached input as a part of that of input, where the catalogue has none."""
    records_refused: bool = False
    """Whether a change that it does not allow is told in log and metrics."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Affinity:
    """How sessions keep their model."""

    ttl_seconds: float
    """How long after the last request."""
    max_entries: int
    """Sessions that are remembered."""
    tenant_header: str = ""
    """In lower case: request header whose value separates sessions; empty: there is none."""
    implied_ttl_seconds: float = 0.0
    """As `ttl_seconds`, for conversations whose clients name no session; 0: these keep nothing."""
    user_only: bool = False
    """Whether only a user's own message can change the model."""
    budget: Budget | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Embedding:
    """The model whose embeddings tell what is meant."""

    route: str
    path: str
    upstream_model: str
    """Empty for the built-in one."""
    timeout_seconds: float
    is_built_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Orchestrator:
    """A model that chooses: agents, or models by preference."""

    model: str
    timeout_seconds: float
    context_length: int
