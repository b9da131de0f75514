"""Runs the health checks of docker-compose.yaml as they stand, on another port."""

import asyncio
import re
import sys

from tests.deployment.compose import service


def checked_port(name: str) -> int:
    found = re.search(r"127\.0\.0\.1[:/](\d+)", service(name)["healthcheck"]["test"][-1])
    assert found
    return int(found[1])


async def passes(name: str, where: int) -> bool:
    """Run a service's health check against another port of this machine."""
    _, program, *arguments = service(name)["healthcheck"]["test"]
    arguments[-1] = re.sub(r"(127\.0\.0\.1[:/])\d+", rf"\g<1>{where}", arguments[-1])
    program = sys.executable if program == "python" else program
    async with asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait() == 0
