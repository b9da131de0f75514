"""What continuing needs from the outside: an answer that comes piece by piece, through the egress listener."""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol


class CutOff(Exception):
    """The answer ended before it was complete, or never began."""


class Pulled(Protocol):
    """An answer whose head is there."""

    @property
    def status(self) -> int:
        """Its status."""
        ...

    @property
    def headers(self) -> Mapping[str, str]:
        """Its headers, names in lower case."""
        ...

    async def piece(self) -> bytes:
        """Return what has come of the body, wait for it if that is nothing; empty at its end.

        Raises:
            CutOff: it ends too early.
        """
        ...


class Source(Protocol):
    """Asks upstreams."""

    def ask(self, route: str, path: str, headers: Mapping[str, str], body: bytes) -> AbstractAsyncContextManager[Pulled]:
        """Send a request and wait for the answer's head; leaving the context cancels the rest. Headers must be UTF-8.

        Raises:
            CutOff: nobody answered.
        """
        ...
