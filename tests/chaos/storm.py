"""Requests at a steady rate while everything fails now and then; afterwards, all must be well again."""

import asyncio
from pathlib import Path

import httpx

from tests.chaos.client import ask
from tests.chaos.judge import Outcome
from tests.chaos.table import Table
from tests.chaos.world import World, world

FAULTY_SHARE = 0.25
_WELL = 30
"""Whole answers in a row that show it."""
_RECOVERY_SECONDS = 30


async def storm(folder: Path, *, seconds: float, rate: float, seed: int) -> Table:
    """Run, and return what happened; that all is well again afterwards is part of it."""
    table = Table()
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=50)
    async with (
        world(folder, seed=seed, share=FAULTY_SHARE, met=table.met) as made,
        httpx.AsyncClient(trust_env=False, timeout=None, limits=limits) as http,
    ):
        async with asyncio.TaskGroup() as tasks:
            flapping = tasks.create_task(made.flap())
            await _ask_steadily(made, http, table, count=round(seconds * rate), rate=rate)
            flapping.cancel()
        made.calm()
        table.problems += await _recover(made, http, first=round(seconds * rate))
    return table


async def _ask_steadily(made: World, http: httpx.AsyncClient, table: Table, *, count: int, rate: float) -> None:
    """Send each request when it is due, whatever became of those before it."""
    loop = asyncio.get_running_loop()
    started = loop.time()

    async def one(number: int) -> None:
        request = made.request(number)
        table.count(request, await ask(http, request))

    async with asyncio.TaskGroup() as tasks:
        for number in range(count):
            await asyncio.sleep(started + number / rate - loop.time())
            tasks.create_task(one(number))


async def _recover(made: World, http: httpx.AsyncClient, *, first: int) -> list[str]:
    """Wait until many answers in a row are whole at the first attempt; return what was wrong until then."""
    table, in_a_row, number = Table(), 0, first
    try:
        async with asyncio.timeout(_RECOVERY_SECONDS):
            while in_a_row < _WELL:
                request = made.request(number)
                is_whole = table.count(request, await ask(http, request)) is Outcome.WHOLE
                in_a_row = in_a_row + 1 if is_whole else 0
                number += 1
    except TimeoutError:
        return [*table.problems, f"not well again within {_RECOVERY_SECONDS} s:\n{table}"]
    return table.problems
