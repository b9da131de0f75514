"""One step of a filter chain, as the request path needs it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One step of a filter chain."""

    id: str
    type: str
    """How it is called: a key of `chain.CALLS`."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    tool: str = ""
    """MCP: the tool's name."""
    path: str = ""
    """Path of the filter's URL, without a trailing slash."""
    passthrough_auth: bool = False
    timeout_seconds: float = 30.0
