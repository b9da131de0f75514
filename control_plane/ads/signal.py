"""Tells everyone who waits that something changed; what, they look up themselves."""

import asyncio


class Signal:
    """A broadcast: `fire` wakes all that wait at that moment, and nobody later."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def fire(self) -> None:
        """Wake everyone who waits."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next `fire`. Between a look at the state and this call there must be no other await."""
        await self._next.wait()
