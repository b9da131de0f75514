"""Ports of resuming: upstream streams, in chunks, through the egress listener."""

from collections.abc import Mapping
from typing import Protocol


class CutOff(Exception):
    """The answer ended before it was complete, or never began."""


class UpstreamStream(Protocol):
    """An answer after its headers."""

    @property
    def status(self) -> int:
        """Its status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, names in lower case."""
        ...

    async def chunk(self) -> bytes:
        """Return the next chunk of the body, after waiting for it if needed; empty at its end.

        Raises:
            CutOff: it ends too early.
        """
        ...

    def close(self) -> None:
        """Cancel the rest, up to the provider."""
        ...


class Source(Protocol):
    """Sends requests to upstreams."""

    async def ask(self, route: str, path: str, headers: Mapping[str, str], body: bytes) -> UpstreamStream:
        """Send a request and wait for the response headers. Headers must be UTF-8.

        Raises:
            CutOff: no answer came.
        """
        ...
