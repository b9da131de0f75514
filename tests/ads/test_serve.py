"""`python -m control_plane serve` as a process: what it serves, follows, writes, refuses, and how it ends."""

import asyncio
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import grpc
import httpx

from control_plane.ads.types import FILTER_CONFIG, LISTENER
from control_plane.status import ConfigState, Status, read_status
from protos import discovery_pb2 as pb
from protos import discovery_pb2_grpc as rpc
from protos import filter_config_pb2
from tests.kit.envoy import free_port, short_folder

CONFIG = """
version: v0.4.0
agents:
  - id: {agent}
    url: http://127.0.0.1:9000
listeners:
  - type: agent
    name: travel
    port: 8001
    router: plano_orchestrator_v1
    agents:
      - id: {agent}
        description: weather forecasts
"""


@dataclass
class Served:
    """A running control plane."""

    folder: Path
    process: asyncio.subprocess.Process
    metrics: str

    @property
    def config(self) -> Path:
        return self.folder / "plano_config.yaml"

    @property
    def address(self) -> str:
        return f"unix://{self.folder}/run/xds.sock"

    async def status(self, accepted: Callable[[Status], bool]) -> Status:
        """Return the status once it is as wanted."""
        async with asyncio.timeout(20):
            while (status := read_status(self.folder / "status.json")) is None or not accepted(status):
                assert self.process.returncode is None, "the control plane ended"
                await asyncio.sleep(0.02)
        return status

    async def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            return await self.process.wait()


async def start(folder: Path, metrics: str) -> asyncio.subprocess.Process:
    egress = f"unix://{folder}/run/egress.sock"
    flags = {
        "--config": f"{folder}/plano_config.yaml",
        "--xds": f"unix://{folder}/run/xds.sock",
        "--egress-address": egress,
        "--egress-url": egress,
        "--access-log": "/dev/null",
        "--status": f"{folder}/status.json",
        "--metrics": metrics,
    }
    arguments = [word for pair in flags.items() for word in pair]
    with (folder / "log").open("wb") as log:
        return await asyncio.create_subprocess_exec(sys.executable, "-m", "control_plane", "serve", *arguments, stderr=log)


@asynccontextmanager
async def serving() -> AsyncIterator[Served]:
    async with short_folder() as folder:
        (folder / "plano_config.yaml").write_text(CONFIG.format(agent="weather"))
        metrics = f"127.0.0.1:{free_port()}"
        served = Served(folder, await start(folder, metrics), metrics)
        try:
            await served.status(lambda status: status.state is ConfigState.OK)
            yield served
        finally:
            if served.process.returncode is None:
                served.process.kill()
                await served.process.wait()


async def test_it_serves_a_file_and_follows_it() -> None:
    async with serving() as served, grpc.aio.insecure_channel(served.address) as channel:
        stream = rpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources(wait_for_ready=True)  # type: ignore[no-untyped-call]
        await stream.write(pb.DiscoveryRequest(node=pb.Node(id="w", cluster="ext_proc"), type_url=FILTER_CONFIG))
        first = await agents(stream)
        served.config.write_text(CONFIG.format(agent="forecast"))
        second = await agents(stream)
        assert (first, second) == (["weather"], ["forecast"])
        status = await served.status(lambda s: s.listeners[0].serves == ("forecast",) and bool(s.clients))
        assert [(client.node_id, client.role) for client in status.clients] == [("w", "ext_proc")]
        assert stat.S_IMODE((served.folder / "status.json").stat().st_mode) == 0o600
        stream.cancel()


async def agents(stream: "grpc.aio.StreamStreamCall[pb.DiscoveryRequest, pb.DiscoveryResponse]") -> list[str]:
    """Accept the next FilterConfig, and return the agents in it."""
    async with asyncio.timeout(10):
        response = await stream.read()
    assert isinstance(response, pb.DiscoveryResponse)
    await stream.write(
        pb.DiscoveryRequest(type_url=FILTER_CONFIG, version_info=response.version_info, response_nonce=response.nonce)
    )
    config = filter_config_pb2.FilterConfig.FromString(response.resources[0].value)
    return [agent.id for listener in config.listeners for agent in listener.agents]


async def test_an_invalid_change_is_reported_and_changes_nothing() -> None:
    async with serving() as served:
        served.config.write_text(
            CONFIG.format(agent="weather").replace("- id: weather\n        desc", "- id: nobody\n        desc")
        )
        status = await served.status(lambda s: s.state is ConfigState.INVALID)
        assert status.problems[0].path == "listeners[0].agents[0].id"
        assert status.problems[0].line is not None
        assert status.listeners[0].serves == ("weather",)
        async with httpx.AsyncClient() as client:
            metrics = (await client.get(f"http://{served.metrics}/metrics")).text
        assert "plano_config_valid 0.0" in metrics
        assert 'plano_config_reloads_total{outcome="invalid"} 1.0' in metrics
        assert b"config_invalid" in (served.folder / "log").read_bytes()


async def test_what_a_client_rejects_shows_in_the_status() -> None:
    async with serving() as served, grpc.aio.insecure_channel(served.address) as channel:
        stream = rpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources(wait_for_ready=True)  # type: ignore[no-untyped-call]
        await stream.write(pb.DiscoveryRequest(node=pb.Node(id="e", cluster="plano"), type_url=LISTENER))
        response = await stream.read()
        nack = pb.DiscoveryRequest(type_url=LISTENER, response_nonce=response.nonce)
        nack.error_detail.message = "no such filter"
        await stream.write(nack)
        status = await served.status(lambda s: s.state is ConfigState.REJECTED)
        assert status.clients[0].refused == {"lds": "no such filter"}
        stream.cancel()


async def test_sigterm_ends_it_cleanly() -> None:
    async with serving() as served:
        assert await served.stop() == 0
        assert b"control_plane_stopped" in (served.folder / "log").read_bytes()


async def test_without_a_good_configuration_it_says_why_and_ends() -> None:
    async with short_folder() as folder:
        (folder / "plano_config.yaml").write_text("agents: [")
        process = await start(folder, f"127.0.0.1:{free_port()}")
        async with asyncio.timeout(20):
            assert await process.wait() == 1
        assert (folder / "log").read_text().startswith(f"{folder}/plano_config.yaml:2: is not valid YAML")


async def test_an_address_in_use_ends_it_with_a_reason() -> None:
    async with serving() as served, short_folder() as folder:
        (folder / "plano_config.yaml").write_text(CONFIG.format(agent="weather"))
        process = await start(folder, served.metrics)
        async with asyncio.timeout(20):
            assert await process.wait() == 1
        assert "cannot start" in (folder / "log").read_text()
