"""A real OTLP receiver, by gRPC and by HTTP: keeps the spans that come, and can be slow, refuse, or be gone."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2 as pb
from opentelemetry.proto.common.v1.common_pb2 import AnyValue

from tests.kit import stub_upstream
from tests.kit.stub_upstream import Answer, Received

_METHOD = "opentelemetry.proto.collector.trace.v1.TraceService"


@dataclass(frozen=True, slots=True)
class ReceivedSpan:
    """One span as it came."""

    name: str
    trace_id: str
    span_id: str
    parent_id: str
    kind: int
    started: int
    ended: int
    attributes: dict[str, Any]
    events: tuple[tuple[str, dict[str, Any]], ...]
    error: str
    scope: str
    resource: dict[str, Any]


@dataclass(slots=True)
class Collector:
    """What has come, and how to answer."""

    spans: list[ReceivedSpan] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    grpc_port: int = 0
    http_port: int = 0
    refuses: bool = False
    rejects: int = 0
    """Spans of each request that it says it did not take."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Cleared, it does not answer."""

    def take(self, message: bytes) -> bytes:
        """Keep the spans of a request, and make its answer."""
        request = pb.ExportTraceServiceRequest.FromString(message)
        for of_resource in request.resource_spans:
            resource = _attributes(of_resource.resource.attributes)
            for of_scope in of_resource.scope_spans:
                self.spans.extend(_span(span, of_scope.scope.name, resource) for span in of_scope.spans)
        partial = pb.ExportTracePartialSuccess(rejected_spans=self.rejects)
        return pb.ExportTraceServiceResponse(partial_success=partial).SerializeToString()

    def of(self, trace_id: str) -> list[ReceivedSpan]:
        """Return the spans of one trace, as they began."""
        return sorted((span for span in self.spans if span.trace_id == trace_id), key=lambda span: span.started)

    async def until(self, enough: Callable[[Sequence[ReceivedSpan]], bool], seconds: float = 20) -> None:
        """Wait until what has come is enough."""
        async with asyncio.timeout(seconds):
            while True:
                if enough(self.spans):
                    return
                await asyncio.sleep(0.02)


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    """Run a collector on two ports of its own."""
    collector = Collector()
    collector.gate.set()

    async def by_http(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        await collector.gate.wait()
        collector.headers.append(request.headers)
        if collector.refuses or request.path != "/v1/traces":
            return Answer(400, b"")
        return Answer(200, collector.take(request.body), {"content-type": "application/x-protobuf"})

    async def by_grpc(message: bytes, context: grpc.aio.ServicerContext[bytes, bytes]) -> bytes:
        await collector.gate.wait()
        collector.headers.append({str(key): str(value) for key, value in context.invocation_metadata() or ()})
        if collector.refuses:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "refused")
        return collector.take(message)

    server = grpc.aio.server()
    handler = grpc.unary_unary_rpc_method_handler(by_grpc)
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_METHOD, {"Export": handler}),))
    collector.grpc_port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    try:
        async with stub_upstream.serving(by_http) as http:
            collector.http_port = http.port
            yield collector
            collector.gate.set()
    finally:
        await server.stop(None)


def _span(span: Any, scope: str, resource: dict[str, Any]) -> ReceivedSpan:
    return ReceivedSpan(
        name=span.name,
        trace_id=span.trace_id.hex(),
        span_id=span.span_id.hex(),
        parent_id=span.parent_span_id.hex(),
        kind=span.kind,
        started=span.start_time_unix_nano,
        ended=span.end_time_unix_nano,
        attributes=_attributes(span.attributes),
        events=tuple((event.name, _attributes(event.attributes)) for event in span.events),
        error=span.status.message if span.status.code == 2 else "",
        scope=scope,
        resource=resource,
    )


def _attributes(attributes: Any) -> dict[str, Any]:
    return {attribute.key: _value(attribute.value) for attribute in attributes}


def _value(value: AnyValue) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return tuple(_value(item) for item in value.array_value.values)
    return getattr(value, kind) if kind else None
