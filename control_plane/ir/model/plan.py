"""What else ext_proc must know: what listeners offer, filters, and the orchestrator's model."""

from dataclasses import dataclass
from enum import StrEnum

from control_plane.ir.model.listener import ListenerKind


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
class Orchestrator:
    """A model that chooses: agents, or models by preference."""

    model: str
    timeout_seconds: float
    context_length: int
