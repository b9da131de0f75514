"""A stand-in for ext_proc: it answers each request, once its body is there, as one function says."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc.aio
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from ext_proc.events import Continue, Reply, Respond
from protos import ext_proc_pb2 as pb
from protos import ext_proc_pb2_grpc
from protos.contract.headers import ROUTE_HEADER
from protos.contract.metadata import METADATA_NAMESPACE, METADATA_ROUTE

_OVERWRITE = pb.HeaderValueOption.OVERWRITE_IF_EXISTS_OR_ADD


@dataclass(frozen=True, slots=True)
class StreamRequest:
    """What Envoy asked about one request."""

    metadata: dict[str, str]
    """Metadata of the gRPC call."""
    headers: dict[str, str]
    body: bytes


Decide = Callable[[StreamRequest], Reply]


def to_route(name: str, **metadata: str) -> Continue:
    """Decide for a route."""
    return Continue(set_headers={ROUTE_HEADER: name}, clear_route_cache=True, metadata=metadata)


@dataclass(slots=True)
class Decider(ext_proc_pb2_grpc.ExternalProcessorServicer):
    """Serves the decide stage, and keeps what it was asked."""

    decide: Decide
    asked: list[StreamRequest] = field(default_factory=list)

    async def Process(
        self, request_iterator: AsyncIterator[pb.ProcessingRequest], context: grpc.aio.ServicerContext[object, object]
    ) -> AsyncIterator[pb.ProcessingResponse]:
        metadata = {key: str(value) for key, value in context.invocation_metadata() or ()}
        headers: dict[str, str] = {}
        async for request in request_iterator:
            if request.WhichOneof("request") == "request_headers":
                found = request.request_headers.headers.headers
                headers = {header.key: header.raw_value.decode() or header.value for header in found}
                if not request.request_headers.end_of_stream:
                    yield pb.ProcessingResponse(request_headers=pb.HeadersResponse())
                    continue
            asked = StreamRequest(metadata, headers, request.request_body.body)
            self.asked.append(asked)
            yield _encode(request, self.decide(asked))


@asynccontextmanager
async def serving(decide: Decide, address: str) -> AsyncIterator[Decider]:
    """Serve a decider, and its health, at a gRPC address."""
    decider = Decider(decide)
    server = grpc.aio.server()
    ext_proc_pb2_grpc.add_ExternalProcessorServicer_to_server(decider, server)  # type: ignore[no-untyped-call]  # generated
    servicer = health.aio.HealthServicer()  # type: ignore[attr-defined]  # set at import, by version
    await servicer.set("", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    server.add_insecure_port(address)
    await server.start()
    try:
        yield decider
    finally:
        await asyncio.shield(server.stop(None))


def _encode(request: pb.ProcessingRequest, reply: Reply) -> pb.ProcessingResponse:
    response = pb.ProcessingResponse()
    response.dynamic_metadata.update({METADATA_NAMESPACE: dict(reply.metadata)})
    if isinstance(reply, Respond):
        immediate = response.immediate_response
        immediate.status.code, immediate.body, immediate.details = reply.status, reply.body, reply.details
        _set_headers(immediate.headers, reply.headers.items())
        return response
    is_head = request.WhichOneof("request") == "request_headers"
    common = response.request_headers.response if is_head else response.request_body.response
    common.clear_route_cache = reply.clear_route_cache
    _set_headers(common.header_mutation, reply.set_headers.items())
    if reply.body is not None:
        common.body_mutation.body = reply.body
        _set_headers(common.header_mutation, [("content-length", str(len(reply.body)))])
    return response


def _set_headers(mutation: pb.HeaderMutation, headers: Iterable[tuple[str, str]]) -> None:
    for key, value in headers:
        option = mutation.set_headers.add(append_action=_OVERWRITE)
        option.header.key, option.header.raw_value = key, value.encode()


async def _serve_forever(address: str, route: str) -> None:
    # As metadata, too: for listeners that show no headers.
    async with serving(lambda _asked: to_route(route, **{METADATA_ROUTE: route}), address):
        print("serving", flush=True)
        await asyncio.Event().wait()


if __name__ == "__main__":
    # A process of its own, so that a test can kill it: `python -m tests.kit.decider unix:///tmp/x.sock agent/weather`.
    asyncio.run(_serve_forever(*sys.argv[1:]))
