"""Real instances for tests: configurations on free ports, and the `plano` command as a process."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.kit.envoy import free_port

COMMAND = (sys.executable, "-c", "from control_plane.cli import main; main()")


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that ended."""

    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True)
class Site:
    """A configuration on ports of its own, and a run dir."""

    config: Path
    run_dir: Path
    port: int
    """Port of the agent listener."""

    async def plano(self, *arguments: str, env: dict[str, str] | None = None) -> Ended:
        """Run a command on this run dir to its end."""
        process = await self.start(*arguments, env=env)
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ended(process.returncode, out.decode(), err.decode())

    async def start(self, *arguments: str, env: dict[str, str] | None = None) -> asyncio.subprocess.Process:
        """Start a command on this run dir."""
        return await asyncio.create_subprocess_exec(
            *COMMAND,
            *arguments,
            "--run-dir",
            str(self.run_dir),
            env={**os.environ, "PYTHONUNBUFFERED": "1", **(env or {})},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )

    async def status(self) -> dict[str, Any]:
        """Return `plano status --json`."""
        answer: dict[str, Any] = json.loads((await self.plano("status", "--json")).out)
        return answer


def write_site(folder: Path, *, agent_port: int, run_dir: Path | None = None) -> Site:
    """Write a configuration of one agent that nothing else on this machine is in the way of."""
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = {
        "version": "v0.4.0",
        "agents": [{"id": "weather", "url": f"http://127.0.0.1:{agent_port}"}],
        "listeners": [
            {
                "type": "agent",
                "name": "travel",
                "address": "127.0.0.1",
                "port": port,
                "agents": [{"id": "weather", "description": "Tells the weather."}],
            }
        ],
        "overrides": {name: free_port() for name in ("admin_port", "metrics_port", "control_plane_metrics_port")},
    }
    file = folder / "plano_config.yaml"
    file.write_text(yaml.safe_dump(config))
    return Site(file, run_dir or folder / "run", port)


@asynccontextmanager
async def taken_down(*sites: Site) -> AsyncIterator[None]:
    """Leave nothing running, however the test ends."""
    try:
        yield
    finally:
        for site in sites:
            await site.plano("down")
