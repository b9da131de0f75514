"""Upstreams that are tried one after another."""

from dataclasses import dataclass, field

from control_plane.ir.cluster import CircuitBreaker


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMember:
    """One attempt of a chain: which upstream is tried, and as what."""

    cluster: str
    agent: str = ""
    """Id of the agent that is tried; empty for a model."""
    model: str = ""
    """Name of the model that is tried (`ir.Model.name`); empty for an agent."""
    api: str = ""
    """API that the model is spoken to; it differs from the client's where the attempt is translated."""
    instances: int = 1
    """How many the configuration names: two attempts may be two instances."""
    path_prefix: str = ""
    """Agents: the path of its URL, which all members of a chain share."""
    resumed: str = ""
    """Route by which it continues streams that another member has begun; empty for agents, and where none are."""
    resumed_api: str = ""
    """API that it is spoken to there: the one in which it takes up a started answer, if there is one."""
    resumed_cluster: str = ""
    """Cluster that is reached in that API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Upstreams that are tried one after another, as far as they are well. Becomes one Envoy Cluster of the same name."""

    name: str
    members: tuple[ChainMember, ...]
    """In order. Each retry of agents goes to the next one that is well and was not tried yet, then around again; where attempts
    at models go is chosen by ext_proc. Empty: ext_proc chooses among all models."""
    client_api: str = ""
    """API of the requests; empty for agents, which get what the client sent."""
    first_byte_timeout_seconds: float = 0.0
    """Bounds the wait for the first byte of a streamed answer, per attempt; 0 leaves it to the route."""
    silence_seconds: float = 0.0
    """How long a stream that can be continued may be silent before it counts as cut."""
    connect_timeout_seconds: float = 5.0
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    for_tools: bool = False
    """Whether only requests that offer tools go here: the model takes them in another API than the client's."""

    @property
    def is_of_models(self) -> bool:
        """Whether models are tried, and not agents."""
        return not self.members or any(member.model for member in self.members)
