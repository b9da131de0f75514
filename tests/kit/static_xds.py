"""An ADS server that serves one set of resources and never changes its mind: enough to try them on a real Envoy."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio

from control_plane.xds import Resources
from protos import discovery_pb2 as pb
from protos import discovery_pb2_grpc as rpc


@dataclass(slots=True)
class StaticXds(rpc.AggregatedDiscoveryServiceServicer):
    """Answers every subscription with what it names, or with everything; remembers what was rejected."""

    resources: Resources
    rejected: list[str] = field(default_factory=list)

    async def StreamAggregatedResources(
        self, request_iterator: AsyncIterator[pb.DiscoveryRequest], context: grpc.aio.ServicerContext[object, object]
    ) -> AsyncIterator[pb.DiscoveryResponse]:
        sent: dict[str, frozenset[str]] = {}
        async for request in request_iterator:
            if request.HasField("error_detail"):
                self.rejected.append(request.error_detail.message)
                continue
            wanted = frozenset(request.resource_names)
            if sent.get(request.type_url) == wanted:
                continue
            sent[request.type_url] = wanted
            yield self._response(request.type_url, wanted)

    def _response(self, type_url: str, wanted: frozenset[str]) -> pb.DiscoveryResponse:
        response = pb.DiscoveryResponse(version_info=self.resources.version, type_url=type_url, nonce="1")
        for resource in self.resources.of(type_url):
            if not wanted or resource.name in wanted:
                response.resources.add(type_url=type_url, value=resource.value)
        return response


@asynccontextmanager
async def serving(resources: Resources, address: str) -> AsyncIterator[StaticXds]:
    """Serve resources at a gRPC address such as `unix:///tmp/xds.sock`."""
    servicer = StaticXds(resources)
    server = grpc.aio.server()
    rpc.add_AggregatedDiscoveryServiceServicer_to_server(servicer, server)  # type: ignore[no-untyped-call]  # generated
    server.add_insecure_port(address)
    await server.start()
    try:
        yield servicer
    finally:
        await asyncio.shield(server.stop(None))
