"""Where attempts can go, and what is made of the APIs there. Made by `compile_attempts`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protos.contract.quirks import QuirkTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """How one API of a model's provider is reached, and what the provider makes of it."""

    path: str
    """`{model}` stands for the upstream model."""
    stream_path: str = ""
    """For requests that ask for a stream; empty for the same."""
    quirks: QuirkTable = field(default_factory=QuirkTable)
    route: str = ""
    """On the attempts listener; empty if no chain leads there."""
    failover_route: str = ""
    """The same, which fails at once while all of its instances are ejected."""
    client_key_header: str = ""
    """Header in which it takes the client's own key; empty if the client's is not passed through."""
    for_tools: Mapping[str, "Target"] = field(default_factory=dict)
    """Other APIs of the model's, at the same host, in which some models are asked if tools are offered."""


@dataclass(frozen=True, slots=True)
class Member:
    """One place of a chain."""

    model: str
    """Configured name."""
    api: str
    resumed: str = ""
    """Route on the egress listener that leads to it alone."""
    resumed_api: str = ""
    """What it is sent there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumableRoute:
    """A route whose streams are continued when they are cut."""

    client_api: str
    members: tuple[Member, ...]
    silence_seconds: float
    """How long a stream may be silent."""
