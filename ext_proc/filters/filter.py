"""A user's filter, and the request that it looks at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One configured filter."""

    id: str
    kind: Literal["http", "mcp"]
    route: str
    """Value of x-plano-route."""
    path: str = ""
    """Path of the filter's URL, without a trailing slash."""
    tool: str = ""
    """MCP: the tool's name; empty means the filter's id."""
    passthrough_auth: bool = False
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredRequest:
    """The downstream request that filters look at."""

    path: str
    """The client's API path: `/v1/chat/completions`."""
    headers: Mapping[str, str]
    """The downstream request's headers, names in lower case; each filter gets a safe part of them."""
    body: bytes
    """A JSON object, already checked."""
