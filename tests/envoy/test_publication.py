"""Configurations published to a real Envoy: changed under load, rejected, found unchanged after a reconnect."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import httpx

from control_plane import ir
from control_plane.ads import AdsServer, OutcomeKind, ResourceSet, Snapshot, Timing
from control_plane.ads.types import CLUSTER, LISTENER, ROUTE, Role
from control_plane.ir import names
from control_plane.xds import translate
from control_plane.xds.bootstrap import build_bootstrap
from control_plane.xds.merge import merge_routes
from protos import filter_config_pb2 as pb
from tests.ads.world import World, world
from tests.kit import decider, envoy, gateways, stub_upstream

TIMING = Timing(grace_seconds=0.2)


@dataclass(slots=True)
class Gateway:
    """An Envoy that follows a publisher, and what stands around it."""

    here: World
    envoy: envoy.Envoy
    client: httpx.AsyncClient
    value: ir.Gateway
    route: str = names.agent("weather")
    """What the decider decides, as a worker would by its configuration."""

    async def ask(self) -> int:
        answer = await self.client.post("/v1/chat/completions", json={"messages": []})
        return answer.status_code

    async def clusters(self) -> set[str]:
        dump = (await self.envoy.admin.get("/clusters", params={"format": "json"})).json()
        return {status["name"] for status in dump["cluster_statuses"]}

    async def publish(self, value: ir.Gateway) -> OutcomeKind:
        return (await self.here.publisher.publish(Snapshot.of(translate(value)))).kind


async def answer(_: stub_upstream.Received, __: asyncio.StreamWriter) -> stub_upstream.Answer:
    return stub_upstream.Answer(200)


@asynccontextmanager
async def gateway() -> AsyncIterator[Gateway]:
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        folder = await enter(envoy.short_folder())
        upstream = await enter(stub_upstream.serving(answer))
        here = await enter(world(merge=merge_routes, timing=TIMING))
        port = envoy.free_port()
        value = gateways.gateway(
            agent_port=port,
            model_port=envoy.free_port(),
            upstream_port=upstream.port,
            egress=f"unix://{folder}/egress.sock",
            access_log=str(folder / "access.log"),
        )
        await here.publisher.publish(Snapshot.of(translate(value)))
        running: list[Gateway] = []
        worker = f"unix://{folder}/ext_proc.sock"
        await enter(decider.serving(lambda _: decider.to_route(running[0].route), worker))
        bootstrap = build_bootstrap(node_id="test", xds=here.address, ext_proc=[worker], admin="127.0.0.1:0")
        process = await enter(envoy.running(bootstrap, folder))
        client = await enter(httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20))
        running.append(Gateway(here, process, client, value))
        yield running[0]


def with_agent(value: ir.Gateway, agent_id: str) -> ir.Gateway:
    """Have the agent listener offer another agent instead of `weather`, at the same address."""
    name = names.agent(agent_id)
    old = names.agent("weather")
    clusters = tuple(replace(c, name=name) if c.name == old else c for c in value.clusters)
    listeners = tuple(replace(li, routes=(gateways.route(name),)) if li.name == "agents" else li for li in value.listeners)
    routes = tuple(gateways.route(name) if r.name == old else r for r in value.egress.routes)

    def offer(config: pb.FilterConfig) -> None:
        for agent in (agent for listener in config.listeners for agent in listener.agents):
            agent.id, agent.route = agent_id, name

    changed = replace(value, clusters=clusters, listeners=listeners, egress=replace(value.egress, routes=routes))
    return gateways.reconfigured(changed, offer)


async def test_an_agent_is_replaced_under_load_without_a_failed_request() -> None:
    async with gateway() as running, running.here.worker() as worker:

        async def follow(_: object) -> None:
            running.route = names.agent("flight" if running.route == names.agent("weather") else "weather")

        await running.here.until(lambda: bool(worker.versions))
        worker.gate = follow  # a worker decides by its newest configuration
        changed, answers = asyncio.Event(), list[int]()

        async def load() -> None:
            while not changed.is_set():
                answers.append(await running.ask())

        async with asyncio.TaskGroup() as tasks:
            for _ in range(8):
                tasks.create_task(load())
            flight = with_agent(running.value, "flight")
            for value in (flight, running.value, flight, running.value, flight):
                assert await running.publish(value) is OutcomeKind.PUBLISHED
            await until_exactly(running)
            changed.set()
        assert set(answers) == {200}
        assert len(answers) > 50
        assert names.agent("weather") not in await running.clusters()
        assert running.here.seen.nacks == []


async def until_exactly(running: Gateway) -> None:
    """Wait until Envoy has acknowledged the removal of what is gone."""
    good = running.here.publisher.good

    def is_exact() -> bool:
        view = running.here.views.of(Role.ENVOY)
        kinds = (CLUSTER, ROUTE, LISTENER)
        states = [dict(client.state(view).acked) for client in running.here.clients.of(Role.ENVOY)]
        return all(state.get(t) == good.of_type(t).version for state in states for t in kinds)

    assert await running.here.clients.until(is_exact, seconds=10), "what is gone is still there"


async def test_a_changed_cluster_with_unchanged_endpoints_is_warm_at_once() -> None:
    async with gateway() as running:
        changed = tuple(replace(cluster, connect_timeout_seconds=2.5) for cluster in running.value.clusters)
        async with asyncio.timeout(3):
            assert await running.publish(replace(running.value, clusters=changed)) is OutcomeKind.PUBLISHED
        assert await running.envoy.stat("cluster_manager.warming_clusters") == 0
        assert await running.ask() == 200


async def test_what_envoy_rejects_changes_nothing() -> None:
    async with gateway() as running:
        good = running.here.publisher.good
        listeners = dict.fromkeys(good.of_type(LISTENER).values, b"\xff")
        clusters = {**good.of_type(CLUSTER).values, "extra": next(iter(good.of_type(CLUSTER).values.values()))}
        for poison in ({LISTENER: listeners}, {CLUSTER: {**clusters, "extra": b"\xff"}}):
            candidate = good.replacing({t: ResourceSet.of(values) for t, values in poison.items()})
            outcome = await running.here.publisher.publish(candidate)
            assert outcome.kind is OutcomeKind.REJECTED
            assert outcome.nacks[0].message
            assert running.here.publisher.good is good
            assert await running.ask() == 200


async def test_an_envoy_that_reconnects_keeps_what_it_has(tmp_path: Path) -> None:
    async with gateway() as running:
        here = running.here
        before = await running.envoy.stat("listener_manager.lds.update_success")
        await here.server.stop()
        assert await running.ask() == 200, "the control plane is down"
        here.server = AdsServer(here.views, here.clients)
        await here.server.start(here.address)
        assert await here.clients.until(lambda: bool(here.clients.of(Role.ENVOY)), seconds=30)
        await until_exactly(running)
        assert await running.envoy.stat("listener_manager.lds.update_success") == before
        assert await running.publish(with_agent(running.value, "flight")) is OutcomeKind.PUBLISHED
