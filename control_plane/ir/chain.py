"""Upstreams that are tried one after another."""

from dataclasses import dataclass, field

from control_plane.ir.cluster import CircuitBreaker


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainMember:
    """One member of a chain: an upstream, its API and its route."""

    cluster: str
    agent: str = ""
    """Id of the agent; empty for a model."""
    model: str = ""
    """Name of the model; empty for an agent."""
    api: str = ""
    """Upstream API; it differs from the client's if the attempt is translated."""
    instances: int = 1
    """The number of configured instances."""
    path_prefix: str = ""
    """Agents: the path of its URL, which all members of a chain share."""
    resumed: str = ""
    """Route for resuming streams; empty for agents, and if streams are not resumed."""
    resumed_api: str = ""
    """API of that route: the one in which it accepts a prefill, if there is one."""
    resumed_cluster: str = ""
    """Cluster of that API."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Upstreams that are tried in order, if they are healthy. Becomes one Envoy Cluster of the same name."""

    name: str
    members: tuple[ChainMember, ...]
    """In order. A retry of agents goes to the next healthy member that was not attempted, then starts over; for models ext_proc
    selects the member. Empty: ext_proc selects among all models."""
    client_api: str = ""
    """API of the requests; empty for agents, which receive the client's request."""
    first_byte_timeout_seconds: float = 0.0
    """Timeout of the first byte of a streamed answer, per attempt; 0: the route's."""
    silence_seconds: float = 0.0
    """Idle timeout of a resumable stream, in seconds."""
    connect_timeout_seconds: float = 5.0
    circuit_breaker: CircuitBreaker = field(default_factory=CircuitBreaker)
    for_tools: bool = False
    """Whether it is only for requests with tools, which the model accepts only in another API."""

    @property
    def is_of_models(self) -> bool:
        """Whether its members are models, not agents."""
        return not self.members or any(member.model for member in self.members)
