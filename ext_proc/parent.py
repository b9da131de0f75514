"""The end of the parent process, as its children see it: it holds their standard input open, and never writes to it."""

import asyncio
import sys
from typing import Final

OUTLIVES_MASTER_SECONDS: Final = 60.0
"""How long a worker goes on whose master was killed, if no worker of another master takes its place. It takes seconds."""


def when_parent_ends(loop: asyncio.AbstractEventLoop, ended: asyncio.Event) -> None:
    """Set `ended` once the process that started this one is gone."""
    pipe = sys.stdin.fileno()

    def tell() -> None:
        loop.remove_reader(pipe)
        ended.set()

    loop.add_reader(pipe, tell)
