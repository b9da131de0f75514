"""What takes long is named again and again, until it is there."""

import asyncio

from control_plane.supervisor.progress import Progress


async def test_what_takes_long_is_named() -> None:
    said: asyncio.Queue[str] = asyncio.Queue()
    progress = Progress(said.put_nowait, seconds_between=0.25)
    async with asyncio.timeout(20):
        async with progress.waiting_for("workers start"):
            assert [await said.get(), await said.get()] == [
                "  0.25 s: waiting until workers start",
                "  0.5 s: waiting until workers start",
            ]
    assert progress.awaited == "workers start"


async def test_what_is_there_at_once_is_not() -> None:
    said: list[str] = []
    async with Progress(said.append).waiting_for("workers start"):
        pass
    assert not said
