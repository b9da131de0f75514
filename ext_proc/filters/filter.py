"""The settings of one filter of a chain."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One step of a filter chain."""

    id: str
    type: str
    """Its type: a key of `chain.CALLS`."""
    route: str
    """Value of `x-plano-route` on the egress listener."""
    tool: str = ""
    """MCP: the tool's name."""
    path: str = ""
    """Path of the filter's URL, without a trailing slash."""
    passthrough_auth: bool = False
    timeout_seconds: float = 30.0
    callable: str = ""
    """Python: `module:function`."""
    refusal_message: str = ""
    """What clients are told when it refuses; empty: what it says itself."""
    passes_on_error: bool = False
    """Whether a body passes unchanged if the filter fails; rejected bodies never pass."""
    hold_back: int = 64
    """Characters of a streamed text that are held back until more arrives."""
