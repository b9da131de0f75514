"""An upstream that can be down: it then refuses connections, and ends those that are open."""

from contextlib import AsyncExitStack

from tests.kit.stub_upstream import Behave, serving


class Switchable:
    """Serves one behaviour, on the same port each time that it is up."""

    def __init__(self, behave: Behave) -> None:
        self.port = 0
        self._behave = behave
        self._up: AsyncExitStack | None = None

    async def up(self) -> None:
        """Serve."""
        self._up = AsyncExitStack()
        self.port = (await self._up.enter_async_context(serving(self._behave, port=self.port))).port

    async def down(self) -> None:
        """Refuse connections, and end those that are open."""
        if self._up is not None:
            await self._up.aclose()
        self._up = None
