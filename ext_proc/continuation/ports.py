"""Ports of resuming: upstream streams, in chunks, through the egress listener."""

from collections.abc import Mapping
from typing import Protocol


class CutOff(Exception):
    """The answer ended before it was complete, or never began."""


class UpstreamStream(Protocol):
    """An answer whose head is there."""

    @property
    def status(self) -> int:
        """Its status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, names in lower case."""
        ...

    async def chunk(self) -> bytes:
        """Return what has come of the body, wait for it if that is nothing; empty at its end.

        Raises:
            CutOff: it ends too early.
        """
        ...

    def close(self) -> None:
        """Take no more of it: what has not come yet is cancelled, all the way to the provider."""
        ...


class Source(Protocol):
    """Asks upstreams."""

    async def ask(self, route: str, path: str, headers: Mapping[str, str], body: bytes) -> UpstreamStream:
        """Send a request and wait for the answer's head. Headers must be UTF-8.

        Raises:
            CutOff: no answer came.
        """
        ...
