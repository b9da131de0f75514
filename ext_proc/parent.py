"""The end of the parent process, as its children see it: it holds their standard input open, and never writes to it."""

import asyncio
import sys


def when_parent_ends(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    """Set `stop` once the process that started this one is gone."""
    pipe = sys.stdin.fileno()

    def ended() -> None:
        loop.remove_reader(pipe)
        stop.set()

    loop.add_reader(pipe, ended)
