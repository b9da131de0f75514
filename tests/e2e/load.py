"""Clients that never stop asking while something is done to the gateway, and what they got."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.kit.plano_up import CHAT


@dataclass(slots=True)
class Load:
    """What the clients got so far."""

    good: int = 0
    bad: list[str] = field(default_factory=list)
    _grown: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def told(self, answer: str) -> None:
        """Count an answer, empty if it was good."""
        async with self._grown:
            if answer:
                self.bad.append(answer)
            else:
                self.good += 1
            self._grown.notify_all()

    async def goes_on(self, more: int = 50) -> None:
        """Wait for more good answers."""
        goal = self.good + more
        async with asyncio.timeout(30), self._grown:
            await self._grown.wait_for(lambda: self.good >= goal)


@asynccontextmanager
async def hammering(urls: list[str], body: dict[str, Any], *, clients: int = 6) -> AsyncIterator[Load]:
    """Ask all listeners all the time."""
    load, stop = Load(), asyncio.Event()

    async def client(url: str) -> None:
        async with httpx.AsyncClient(trust_env=False, timeout=20) as http:
            while not stop.is_set():
                await load.told(await ask(http, url, body))

    async with asyncio.TaskGroup() as tasks:
        for number in range(clients):
            tasks.create_task(client(f"{urls[number % len(urls)]}{CHAT}"))
        try:
            await load.goes_on()
            yield load
        finally:
            stop.set()


async def ask(http: httpx.AsyncClient, url: str, body: dict[str, Any]) -> str:
    """Ask once and return what was wrong with the answer, if anything."""
    try:
        answer = await http.post(url, json=body)
    except httpx.HTTPError as error:
        return type(error).__name__
    return "" if answer.status_code == httpx.codes.OK else f"{answer.status_code} {answer.text}"


async def until(fact: Callable[[], bool], *, seconds: float = 30) -> None:
    """Look again and again until something is so."""
    async with asyncio.timeout(seconds):
        while not fact():  # noqa: ASYNC110 - files send no events
            await asyncio.sleep(0.02)
