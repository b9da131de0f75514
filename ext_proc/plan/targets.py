"""Targets and members of chains. Built by `plan.chains`."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protos.contract.quirks import QuirkTable


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One API of a model's provider: its routes and quirks."""

    path: str
    """`{model}` is replaced by the upstream model."""
    stream_path: str = ""
    """Path of streams; empty: the same."""
    quirks: QuirkTable = field(default_factory=QuirkTable)
    route: str = ""
    """Route on the attempts listener; empty if no chain uses it."""
    failover_route: str = ""
    """The same, but fails at once if all instances are ejected."""
    client_key_header: str = ""
    """Header for the client's own key; empty if it is not passed through."""
    for_tools: Mapping[str, "Target"] = field(default_factory=dict)
    """Other APIs of the provider, which some models require for requests with tools."""


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a chain."""

    model: str
    """Configured name."""
    api: str
    resumed: str = ""
    """Route on the egress listener to this member only."""
    resumed_api: str = ""
    """Its target on that route."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumableRoute:
    """A route whose streams can be resumed."""

    client_api: str
    members: tuple[Member, ...]
    silence_seconds: float
    """Idle timeout of a stream, in seconds."""
