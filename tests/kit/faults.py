"""An upstream that fails as it is told to: it refuses, resets, is silent, stalls, cuts, corrupts, answers with any status."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.kit.stub_upstream import Answer, Received
from tests.kit.switchable import Switchable

HEALTH_PATH = "/health"


class Fault(Enum):
    """Ways to fail that are not a status."""

    RESET = auto()
    """The connection ends before the response begins."""
    SILENT = auto()
    """Nothing ever comes."""
    STALL = auto()
    """The headers of a good answer come, and then nothing."""
    CUT = auto()
    """The connection ends in the middle of a good answer."""
    CORRUPT = auto()
    """What comes is not HTTP."""


Step = Fault | int | Answer
"""One answer: a fault, a status, or a response."""


@dataclass(slots=True)
class FaultyUpstream:
    """An upstream that follows a script, and says its name in every good answer."""

    name: str
    steps: list[Step] = field(default_factory=lambda: [200])
    healthy: bool = True
    """Whether it says that it is well, when a health check asks."""
    received: list[Received] = field(default_factory=list)
    """Without health checks."""
    _server: Switchable = field(init=False)

    def __post_init__(self) -> None:
        self._server = Switchable(self._behave)

    @property
    def port(self) -> int:
        """Where it serves; the same after it was down."""
        return self._server.port

    def script(self, *steps: Step) -> None:
        """Set what the next requests get; the last step is for all after it."""
        self.steps = list(steps)
        self.received.clear()

    async def up(self) -> None:
        """Serve."""
        await self._server.up()

    async def down(self) -> None:
        """Refuse connections, and end those that are open."""
        await self._server.down()

    async def _behave(self, request: Received, writer: asyncio.StreamWriter) -> Answer | None:
        if request.path == HEALTH_PATH:
            return Answer(200 if self.healthy else 503)
        self.received.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        good = Answer(body=json.dumps({"from": self.name}).encode())
        match step:
            case Answer():
                return step
            case int():
                return Answer(step, good.body)
            case Fault.CORRUPT:
                writer.write(b"\x00\x01 this is no HTTP\r\n\r\n")
            case Fault.CUT:
                writer.write(good.encode()[:-3])
            case Fault.STALL:
                writer.write(good.encode()[: -len(good.body)])
            case Fault.RESET | Fault.SILENT:
                pass
        await writer.drain()
        if step in (Fault.SILENT, Fault.STALL):
            await asyncio.Event().wait()
        return None


@asynccontextmanager
async def faulty(*names: str) -> AsyncIterator[list[FaultyUpstream]]:
    """Serve one faulty upstream for each name."""
    upstreams = [FaultyUpstream(name) for name in names]
    try:
        for upstream in upstreams:
            await upstream.up()
        yield upstreams
    finally:
        for upstream in upstreams:
            await upstream.down()
