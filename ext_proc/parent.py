"""Detects the end of the parent process: it holds its children's standard input open, and never writes to it."""

import asyncio
import sys
from typing import Final

OUTLIVES_MASTER_SECONDS: Final = 60.0
"""How long a worker continues after its master was killed without a successor, which usually takes over within seconds."""


def when_parent_ends(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set `ended` when the parent process has ended."""
    pipe = sys.stdin.fileno()

    def tell() -> None:
        loop.remove_reader(pipe)
        ended.set()

    loop.add_reader(pipe, tell)
