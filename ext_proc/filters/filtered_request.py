"""The downstream request that filters look at, and what of it each filter is told."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class FilteredRequest:
    """A downstream request on its way through a chain."""

    path: str
    """The client's API path: `/v1/chat/completions`."""
    headers: Mapping[str, str]
    """The downstream request's headers, names in lower case; each filter gets a safe part of them."""
    body: bytes
    """A JSON object, already checked."""
