"""Silence in a real Envoy: each attempt has its own time, and so has an answer that falls silent in its middle."""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import httpx
import pytest
import pytest_asyncio

from protos.contract.headers import ATTEMPTS_HEADER
from tests.kit.faults import Fault, FaultyUpstream, faulty
from tests.kit.lab import Lab
from tests.kit.resilience import chain

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("envoy-resilience-silence")]

SECONDS = 0.5
DELAYED_CLOSE_SECONDS = 1
"""After a response that is cut, Envoy waits so long for the client to read it."""


@dataclass(frozen=True, slots=True)
class World:
    lab: Lab
    a: FaultyUpstream
    b: FaultyUpstream
    c: FaultyUpstream


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    timeouts = {"response_timeout_seconds": SECONDS, "idle_timeout_seconds": SECONDS}
    async with faulty("a", "b", "c") as upstreams, chain(upstreams, route=timeouts, outlier_detection=None) as made:
        yield World(made, *upstreams)


async def test_silence_is_bounded_per_attempt(world: World) -> None:
    world.a.script(Fault.SILENT)
    world.b.script(Fault.SILENT)
    world.c.script(200)
    answer = await world.lab.agents.post("/v1/chat/completions", json={})
    assert (answer.status_code, answer.json(), answer.headers[ATTEMPTS_HEADER]) == (200, {"from": "c"}, "3")


async def test_an_answer_that_falls_silent_in_its_middle_ends(world: World) -> None:
    world.a.script(Fault.STALL)
    started = time.monotonic()
    async with asyncio.timeout(20):
        with pytest.raises(httpx.RemoteProtocolError):
            await world.lab.agents.post("/v1/chat/completions", json={})
    # Without its own bound it would last as long as three attempts and their waits.
    assert SECONDS <= time.monotonic() - started < SECONDS + DELAYED_CLOSE_SECONDS + 2
