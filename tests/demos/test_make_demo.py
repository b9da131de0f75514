"""`python -m demos.travel_booking` as `make demo` runs it, through a real Envoy: asked, stopped early, and unable to start."""

import asyncio
import os
import re
import signal
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process

import httpx
import pytest

from demos.travel_booking.run.questions import QUESTIONS
from tests.deployment.compose import ROOT

SECONDS = 100
pytestmark = pytest.mark.xdist_group("make demo")


async def start(**environment: str) -> Process:
    inherited = {name: value for name, value in os.environ.items() if name != "OPENAI_API_KEY"}
    command = [sys.executable, "-u", "-m", "demos.travel_booking"]
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, env={**inherited, **environment}, stdin=DEVNULL, stdout=PIPE, stderr=PIPE
    )


async def finish(process: Process) -> tuple[int, str, str]:
    out, error = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), error.decode()


async def stops_serving(url: str) -> bool:
    async with httpx.AsyncClient(trust_env=False) as client:
        try:
            await client.get(f"{url}/healthz")
        except httpx.ConnectError:
            return True
    return False


async def test_all_six_questions_are_answered() -> None:
    async with asyncio.timeout(SECONDS):
        status, out, error = await finish(await start())
    assert status == 0, out + error
    assert re.findall(r"^     agent  (.+)$", out, re.MULTILINE) == [question.agent for question in QUESTIONS]
    rungs = re.findall(r"^     why    (\w+); ", out, re.MULTILINE)
    assert all(rung in question.rungs for rung, question in zip(rungs, QUESTIONS, strict=True))
    assert "All six were answered as expected." in out
    for url in re.findall(r"http://127\.0\.0\.1:\d+", out):
        assert await stops_serving(url)


async def test_stopped_half_way_it_leaves_nothing_behind() -> None:
    async with asyncio.timeout(SECONDS):
        process = await start()
        assert process.stdout is not None
        seen = ""
        while "1/6" not in seen and (line := await process.stdout.readline()):
            seen += line.decode()
        process.send_signal(signal.SIGTERM)
        status, _, error = await finish(process)
    assert status == 128 + signal.SIGTERM, seen + error
    urls = re.findall(r"http://127\.0\.0\.1:\d+", seen)
    assert len(urls) == 5
    for url in urls:
        assert await stops_serving(url)


async def test_without_envoy_it_fails_and_says_why() -> None:
    async with asyncio.timeout(SECONDS):
        status, out, error = await finish(await start(PLANO_ENVOY="/nowhere/envoy"))
    assert status == 1, out
    assert "The demo failed: `plano up` failed" in error
    assert "/nowhere/envoy" in error
