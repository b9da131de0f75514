"""A gateway from a configuration text, within the test's process but for Envoy: static xDS, a real worker, a real Envoy."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from prometheus_client import CollectorRegistry

from control_plane.config import load
from control_plane.gateway import build_gateway
from control_plane.gateway.runtime import Runtime
from control_plane.xds import api, translate
from control_plane.xds.bootstrap import build_bootstrap
from ext_proc.app import Worker, WorkerSettings
from ext_proc.telemetry.metrics import Metrics
from tests.kit import envoy, static_xds


@dataclass(frozen=True, slots=True)
class WholeGateway:
    """What a test of it works with."""

    envoy: envoy.Envoy
    registry: CollectorRegistry
    ports: Mapping[str, int]
    """By listener."""
    http: httpx.AsyncClient
    stop_worker: asyncio.Event
    """Ends the worker when it is set."""

    def url(self, listener: str) -> str:
        return f"http://127.0.0.1:{self.ports[listener]}"

    def metric(self, name: str, **labels: str) -> float:
        """Return what the worker has counted; a trailing underscore of a label's name is for Python."""
        return self.registry.get_sample_value(name, {key.rstrip("_"): value for key, value in labels.items()}) or 0.0

    async def until_some(self, name: str, **labels: str) -> None:
        """Wait until the worker has counted at all."""
        async with asyncio.timeout(10):
            while True:
                if self.metric(name, **labels):
                    return
                await asyncio.sleep(0.01)

    async def until_more(self, name: str, **labels: str) -> None:
        """Wait until the worker has counted once more."""
        before = self.metric(name, **labels)
        async with asyncio.timeout(20):
            while True:
                if self.metric(name, **labels) > before:
                    return
                await asyncio.sleep(0.01)

    async def until(self, value: float, name: str, **labels: str) -> None:
        """Wait until the worker has counted so many: it counts just after the client has its answer."""
        async with asyncio.timeout(10):
            while True:
                if self.metric(name, **labels) == value:
                    return
                await asyncio.sleep(0.01)


@asynccontextmanager
async def whole_gateway(
    text: str, env: Mapping[str, str], *, envoy_runtime: Mapping[str, int] | None = None, embedder: str = ""
) -> AsyncIterator[WholeGateway]:
    """Run a configuration, and an Envoy with these values of its runtime; `embedder` is where an embedder listens, if any."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = await enter(envoy.short_folder())
        xds, listen, egress = (f"unix://{folder}/{name}.sock" for name in ("xds", "worker", "egress"))
        runtime = Runtime(
            egress_address=egress,
            egress_url=egress,
            access_log_path=str(folder / "access.log"),
            embedder_address=embedder,
        )
        gateway = build_gateway(load(text, env=env).config, runtime=runtime)
        served = await enter(static_xds.serving(translate(gateway), xds))
        registry, stop = CollectorRegistry(), asyncio.Event()
        worker = Worker(WorkerSettings(number=0, xds=xds, listen=listen, grace_seconds=2), Metrics(registry))
        # Not a task group: fixtures of a module begin and end in different tasks.
        running_worker = asyncio.get_running_loop().create_task(worker.run(stop))
        stack.push_async_callback(lambda: running_worker)
        stack.callback(stop.set)
        bootstrap = build_bootstrap(node_id="test", xds=xds, ext_proc=[listen], admin="127.0.0.1:0")
        if envoy_runtime:
            layer = api.bootstrap.RuntimeLayer(name="test", static_layer=api.protobuf.Struct.from_dict(dict(envoy_runtime)))
            bootstrap.layered_runtime = api.bootstrap.LayeredRuntime(layers=[layer])
        running = await enter(envoy.running(bootstrap, folder))
        assert not served.rejected, served.rejected
        ports = {listener.name: listener.port for listener in gateway.listeners}
        http = await enter(httpx.AsyncClient(timeout=20, trust_env=False))
        yield WholeGateway(running, registry, ports, http, stop)
        assert "envoy bug" not in running.log.read_text()
