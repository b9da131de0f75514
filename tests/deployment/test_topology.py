"""The compose file's commands and bootstrap, run together on this machine: as they stand but for host names and ports.

No container engine is needed to see that the processes find each other, become healthy and answer.
"""

import asyncio
import os
import re
import socket
import sys
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest
import yaml

from demos.travel_booking.stand_in_provider.app import build_app
from tests.deployment.compose import ROOT, service
from tests.deployment.health import checked_port, checked_socket, passes
from tests.kit.asgi_server import serve
from tests.kit.envoy import binary, short_folder

KEY = "the-right-key"
PORTS = (8001, 9092, 9093, 9902, 10510, 10520, 10530, 12000)
START = ("control-plane", "ext-proc", "weather-agent", "flight-agent", "currency-agent")
SECONDS = 60
SCRAPED = ((9902, "/stats/prometheus", "envoy_"), (9092, "/metrics", "plano_"), (9093, "/metrics", "plano_"))
"""Port, path and the beginning of a name, of what Prometheus scrapes."""
pytestmark = pytest.mark.xdist_group("topology")


def free_ports() -> dict[int, int]:
    """Choose a free port for each of the deployment's."""
    opened = [socket.create_server(("127.0.0.1", 0)) for _ in PORTS]
    chosen = {port: found.getsockname()[1] for port, found in zip(PORTS, opened, strict=True)}
    for found in opened:
        found.close()
    return chosen


def localise(ports: dict[int, int], folder: Path) -> Callable[[str], str]:
    """Return what turns the deployment's texts into this machine's."""

    def local(text: str) -> str:
        text = re.sub(
            r"\b(weather-agent|flight-agent|currency-agent|jaeger|envoy(?=:\d)|0\.0\.0\.0|10\.83\.\d+\.\d+)\b",
            "127.0.0.1",
            text,
        )
        text = re.sub(r"\b(\d{4,5})\b", lambda number: str(ports.get(int(number[1]), number[1])), text)
        return re.sub(r"/(etc/plano|run/plano|tmp)(?=/)", str(folder), text)

    return local


@asynccontextmanager
async def running(log: Path, command: list[str], environment: dict[str, str]) -> AsyncIterator[None]:
    with log.open("wb") as output:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=ROOT,
            env={**os.environ, "NO_PROXY": "127.0.0.1", **environment},
            stdin=DEVNULL,
            stdout=output,
            stderr=STDOUT,
        )
    try:
        yield
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


def write_files(folder: Path, local: Callable[[str], str], provider: str) -> None:
    """Write what the containers mount or contain."""
    config = yaml.safe_load(local((ROOT / "deploy/plano/plano_config.yaml").read_text(encoding="utf-8")))
    for found in config["model_providers"]:
        found["base_url"] = provider
    for volume in ("xds", "ext_proc", "egress"):
        (folder / volume).mkdir()
    (folder / "plano_config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    bootstrap = local((ROOT / "envoy/bootstrap.yaml").read_text(encoding="utf-8"))
    (folder / "bootstrap.yaml").write_text(bootstrap, encoding="utf-8")


@asynccontextmanager
async def deployment(folder: Path, ports: dict[int, int]) -> AsyncIterator[None]:
    """Run every service of the compose file but Prometheus, Grafana and Jaeger, and wait until all pass their health checks."""
    local = localise(ports, folder)
    async with AsyncExitStack() as stack:
        provider = await stack.enter_async_context(serve(build_app(KEY)))
        write_files(folder, local, provider)
        for name in START:
            command = [sys.executable, *(local(word) for word in service(name)["command"][1:])]
            environment = {variable: local(value) for variable, value in service(name).get("environment", {}).items()}
            environment |= {"OPENAI_API_KEY": KEY} if name == "control-plane" else {}
            await stack.enter_async_context(running(folder / f"{name}.log", command, environment))
        envoy = [binary(), "--config-path", str(folder / "bootstrap.yaml"), "--disable-hot-restart", "--concurrency", "1"]
        await stack.enter_async_context(running(folder / "envoy.log", envoy, {}))
        for name in (*START, "envoy"):
            await until_healthy(name, ports, local, folder)
        yield


async def until_healthy(name: str, ports: dict[int, int], local: Callable[[str], str], folder: Path) -> None:
    try:
        async with asyncio.timeout(SECONDS):
            where = local(checked_socket(name)) if name in ("control-plane", "ext-proc") else ports[checked_port(name)]
            while not await passes(name, where):
                # Each try is a process of its own: no pause is needed.
                continue
    except TimeoutError:
        pytest.fail(f"{name} is not healthy:\n{(folder / f'{name}.log').read_text()[-3000:]}")


async def test_the_deployment_comes_up_and_answers() -> None:
    ports = free_ports()
    async with (
        short_folder() as folder,
        deployment(folder, ports),
        httpx.AsyncClient(trust_env=False, timeout=SECONDS) as client,
    ):
        question = {"messages": [{"role": "user", "content": "What's the weather?"}]}
        answer = await client.post(f"http://127.0.0.1:{ports[8001]}/v1/chat/completions", json=question)
        assert answer.status_code == 200, answer.text
        assert answer.headers["x-plano-agent"] == "weather_agent"
        assert "found no place" in answer.json()["choices"][0]["message"]["content"]
        for port, path in ((8001, "/healthz"), (12000, "/healthz"), (12000, "/v1/models")):
            assert (await client.get(f"http://127.0.0.1:{ports[port]}{path}")).status_code == 200
        for port, path, metric in SCRAPED:
            assert metric in (await client.get(f"http://127.0.0.1:{ports[port]}{path}")).text
