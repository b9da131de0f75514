"""What a start waits for, said when it takes long."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

SECONDS_BETWEEN = 5.0


class Progress:
    """Reports repeatedly what is waited for, until it is done."""

    def __init__(self, tell: Callable[[str], None], *, seconds_between: float = SECONDS_BETWEEN) -> None:
        self._tell = tell
        self._seconds_between = seconds_between
        self.awaited = ""
        """What was waited for last."""

    @asynccontextmanager
    async def waiting_for(self, awaited: str) -> AsyncIterator[None]:
        """Wait for something, such as `workers start`, in the body."""
        self.awaited = awaited
        reminder = asyncio.ensure_future(self._remind())
        try:
            yield
        finally:
            reminder.cancel()

    async def _remind(self) -> None:
        waited = 0.0
        while True:
            await asyncio.sleep(self._seconds_between)
            waited += self._seconds_between
            self._tell(f"  {waited:g} s: waiting until {self.awaited}")
