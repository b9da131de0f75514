"""Wakes all waiting tasks when state has changed."""

import asyncio


class Signal:
    """A broadcast: `fire` wakes the tasks that wait at that moment, and no later ones."""

    def __init__(self) -> None:
        self._next = asyncio.Event()

    def fire(self) -> None:
        """Wake all waiting tasks."""
        self._next.set()
        self._next = asyncio.Event()

    async def wait(self) -> None:
        """Return at the next `fire`. There must be no other await between reading the state and this call."""
        await self._next.wait()
