"""One Envoy with everything it needs around it: an xDS server, a decider as its ext_proc, a stub upstream."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from control_plane import ir
from control_plane.xds import translate
from control_plane.xds.bootstrap import build_bootstrap
from tests.kit import decider, envoy, gateways, static_xds, stub_upstream

Change = Callable[[ir.Gateway], ir.Gateway]


@dataclass(frozen=True, slots=True)
class Lab:
    """What a test of one Envoy works with."""

    envoy: envoy.Envoy
    folder: Path
    agents: httpx.AsyncClient
    models: httpx.AsyncClient
    egress: httpx.AsyncClient
    decider: decider.Decider
    upstream: stub_upstream.Upstream

    @property
    def access_log(self) -> Path:
        return self.folder / "access.log"


@asynccontextmanager
async def lab(
    decide: decider.Decide,
    behave: stub_upstream.Behave,
    *,
    change: Change = lambda gateway: gateway,
) -> AsyncIterator[Lab]:
    """Run Envoy on `gateways.gateway()`, changed as wanted."""
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = await enter(envoy.short_folder())
        upstream = await enter(stub_upstream.serving(behave))
        worker, xds, egress = (f"unix://{folder}/{name}.sock" for name in ("ext_proc", "xds", "egress"))
        asked = await enter(decider.serving(decide, worker))
        gateway = change(
            gateways.gateway(
                agent_port=envoy.free_port(),
                model_port=envoy.free_port(),
                upstream_port=upstream.port,
                egress=egress,
                access_log=str(folder / "access.log"),
            )
        )
        served = await enter(static_xds.serving(translate(gateway), xds))
        bootstrap = build_bootstrap(node_id="test", xds=xds, ext_proc=[worker], admin="127.0.0.1:0")
        running = await enter(envoy.running(bootstrap, folder))
        assert not served.rejected, served.rejected
        agents, models = [await enter(_client(listener.port)) for listener in gateway.listeners]
        uds = httpx.AsyncHTTPTransport(uds=egress.removeprefix("unix://"))
        internal = await enter(httpx.AsyncClient(transport=uds, base_url="http://egress"))
        yield Lab(running, folder, agents, models, internal, asked, upstream)


def _client(port: int) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20)
