"""Runs the health checks of docker-compose.yaml as they stand, on another port or socket."""

import asyncio
import re
import sys

from tests.deployment.compose import service

_PORT = r"(127\.0\.0\.1[:/])\d+"
_SOCKET = r"unix://[^']+"


def checked_port(name: str) -> int:
    found = re.search(_PORT, service(name)["healthcheck"]["test"][-1])
    assert found
    return int(found[0].replace("/", ":").rpartition(":")[2])


def checked_socket(name: str) -> str:
    found = re.search(_SOCKET, service(name)["healthcheck"]["test"][-1])
    assert found
    return found[0]


async def passes(name: str, where: int | str) -> bool:
    """Run a service's health check against another port or socket of this machine."""
    _, program, *arguments = service(name)["healthcheck"]["test"]
    if isinstance(where, int):
        arguments[-1] = re.sub(_PORT, rf"\g<1>{where}", arguments[-1])
    else:
        arguments[-1] = re.sub(_SOCKET, where, arguments[-1])
    program = sys.executable if program == "python" else program
    async with asyncio.timeout(30):
        process = await asyncio.create_subprocess_exec(
            program, *arguments, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL
        )
        return await process.wait() == 0
