"""A control plane without configuration: snapshots of made-up bytes, an ADS server on a free port, clients that record."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc

from control_plane.ads import AdsServer, Clients, Publisher, Snapshot, Timing, Views
from control_plane.ads.clients import Nack
from control_plane.ads.snapshot import ResourceSet
from control_plane.ads.types import CLUSTER, ENDPOINT, FILTER_CONFIG, LISTENER, ROUTE, SECRET, Role
from protos import discovery_pb2 as pb
from protos import discovery_pb2_grpc as rpc
from protos.contract.discovery import FILTER_CONFIG_NAME

Values = Mapping[str, bytes]


def snapshot(
    *,
    clusters: Values | None = None,
    endpoints: Values | None = None,
    secrets: Values | None = None,
    listeners: Values | None = None,
    routes: Values | None = None,
    config: bytes = b"",
    version: str = "",
) -> Snapshot:
    """Make a snapshot of the given resources."""
    given = {CLUSTER: clusters, ENDPOINT: endpoints, SECRET: secrets, LISTENER: listeners, ROUTE: routes}
    sets = {type_url: ResourceSet.of(values) for type_url, values in given.items() if values}
    if config:
        sets[FILTER_CONFIG] = ResourceSet.of({FILTER_CONFIG_NAME: config})
    return Snapshot(version or "|".join(s.version for s in sets.values()), sets)


def generation(name: str, *, agents: tuple[str, ...] = ("weather",)) -> Snapshot:
    """Make a configuration in which everything but the names of the agents depends on `name`."""
    mark = name.encode()
    return snapshot(
        clusters=dict.fromkeys(agents, mark),
        endpoints=dict.fromkeys(agents, mark),
        secrets={"key": mark},
        listeners={"listener/travel": mark},
        routes={"listener/travel": mark},
        config=mark,
        version=name,
    )


@dataclass
class Recorder:
    """An observer that keeps what it is told."""

    nacks: list[Nack] = field(default_factory=list)
    events: list[tuple[str, str]] = field(default_factory=list)

    def connected(self, role: Role, node_id: str) -> None:
        self.events.append(("connected", node_id))

    def disconnected(self, role: Role, node_id: str) -> None:
        self.events.append(("disconnected", node_id))

    def acknowledged(self, role: Role, node_id: str, type_url: str) -> None:
        self.events.append(("acked", node_id))

    def refused(self, nack: Nack) -> None:
        self.nacks.append(nack)


class Peer:
    """An xDS client on one stream that answers each response as `judge` says, and keeps what it accepted."""

    def __init__(
        self, stream: "grpc.aio.StreamStreamCall[pb.DiscoveryRequest, pb.DiscoveryResponse]", world: "World", node: pb.Node
    ) -> None:
        self.has: dict[str, dict[str, bytes]] = {}
        self.versions: dict[str, str] = {}
        self.judge: Callable[[pb.DiscoveryResponse], str | None] = lambda _: None
        self.gate: Callable[[pb.DiscoveryResponse], Awaitable[object]] | None = None
        self.node = node
        self._stream = stream
        self._world = world
        self._writing = asyncio.Lock()
        self._names: dict[str, tuple[str, ...]] = {}

    async def subscribe(self, type_url: str, *names: str, version: str = "") -> None:
        self._names[type_url] = names
        request = pb.DiscoveryRequest(node=self.node, type_url=type_url, resource_names=names, version_info=version)
        await self._write(request)

    async def follow(self) -> None:
        """Answer responses until the stream ends."""
        async for response in self._stream:
            self._world.log.append((self.node.id, response.type_url, {r.value for r in response.resources}))
            self._world.happened.set()
            if self.gate is not None:
                await self.gate(response)
            await self._answer(response)
            self._world.happened.set()

    async def _write(self, request: pb.DiscoveryRequest) -> None:
        async with self._writing:  # gRPC takes one message at a time
            await self._stream.write(request)

    async def _answer(self, response: pb.DiscoveryResponse) -> None:
        error = self.judge(response)
        request = pb.DiscoveryRequest(
            type_url=response.type_url, response_nonce=response.nonce, resource_names=self._names[response.type_url]
        )
        if error is None:
            request.version_info = self.versions[response.type_url] = response.version_info
            self.has[response.type_url] = {str(n): r.value for n, r in enumerate(response.resources)}
        else:
            request.error_detail.message = error
        await self._write(request)


@dataclass(kw_only=True)
class World:
    """Everything that a test of the ADS server needs."""

    views: Views
    clients: Clients
    publisher: Publisher
    seen: Recorder
    server: AdsServer
    address: str
    tasks: asyncio.TaskGroup
    log: list[tuple[str, str, set[bytes]]] = field(default_factory=list)
    """(client, type, contents) of each response, in the order of arrival at any client."""
    happened: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def peer(
        self, node_id: str, role: Role = Role.ENVOY, *, options: tuple[tuple[str, int], ...] = ()
    ) -> AsyncIterator[Peer]:
        """Connect a client that has asked for nothing yet."""
        async with grpc.aio.insecure_channel(self.address, options=options) as channel:
            stream = rpc.AggregatedDiscoveryServiceStub(channel).StreamAggregatedResources()  # type: ignore[no-untyped-call]
            peer = Peer(stream, self, pb.Node(id=node_id, cluster=role))
            follower = self.tasks.create_task(peer.follow())
            try:
                yield peer
            finally:
                follower.cancel()
                stream.cancel()

    @asynccontextmanager
    async def envoy(self, node_id: str = "envoy-1", *, agents: tuple[str, ...] = ("weather",)) -> AsyncIterator[Peer]:
        """Connect a client that has asked for everything that an Envoy asks for."""
        async with self.peer(node_id) as peer:
            await peer.subscribe(CLUSTER)
            await peer.subscribe(ENDPOINT, *agents)
            await peer.subscribe(SECRET, "key")
            await peer.subscribe(LISTENER)
            await peer.subscribe(ROUTE, "listener/travel")
            yield peer

    @asynccontextmanager
    async def worker(self, node_id: str = "worker-1") -> AsyncIterator[Peer]:
        """Connect a client that has asked for what an ext_proc worker asks for."""
        async with self.peer(node_id, Role.EXT_PROC) as peer:
            await peer.subscribe(FILTER_CONFIG)
            yield peer

    async def until(self, condition: Callable[[], bool], seconds: float = 5) -> None:
        """Wait until something holds that a client's answer makes true."""
        async with asyncio.timeout(seconds):
            while not condition():
                self.happened.clear()
                await self.happened.wait()

    async def until_acked(self, *peers: Peer, version: Snapshot) -> None:
        """Wait until the server has heard from the clients that they run a snapshot."""
        ids = {peer.node.id for peer in peers}

        def all_acked() -> bool:
            states = [c.state(self.views.of(c.role)) for c in self.clients if c.node_id in ids]
            return len(states) == len(ids) and all(
                dict(s.acked).get(t) == r.version
                for s in states
                for t, r in self.views.of(s.role).only(version.sets).sets.items()
                if r.values
            )

        assert await self.clients.until(all_acked, seconds=5), "not acknowledged in time"


@asynccontextmanager
async def world(
    *, merge: Callable[[bytes, bytes], bytes] = lambda _, new: new, timing: Timing | None = None
) -> AsyncIterator[World]:
    """Run an ADS server and its publisher."""
    views, seen = Views(), Recorder()
    clients = Clients(seen)
    server = AdsServer(views, clients)
    port = await server.start("127.0.0.1:0")
    publisher = Publisher(views, clients, merge_routes=merge, timing=timing or Timing(overlap_seconds=0.01, grace_seconds=0.05))
    try:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(publisher.run())
            here = World(
                views=views,
                clients=clients,
                publisher=publisher,
                seen=seen,
                server=server,
                address=f"127.0.0.1:{port}",
                tasks=tasks,
            )
            try:
                yield here
            finally:
                await here.server.stop()
            running.cancel()
    finally:
        await server.stop()
