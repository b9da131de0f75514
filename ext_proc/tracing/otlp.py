"""Spans -> OTLP, https://opentelemetry.io/docs/specs/otlp/. Imported only for exporting."""

from collections.abc import Iterable
from typing import Final

from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest, ExportTraceServiceResponse
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, KeyValue
from opentelemetry.proto.trace.v1 import trace_pb2 as pb

from ext_proc.tracing.span import Attributes, Kind, Span, Value

_KINDS: Final = {
    Kind.INTERNAL: pb.Span.SPAN_KIND_INTERNAL,
    Kind.SERVER: pb.Span.SPAN_KIND_SERVER,
    Kind.CLIENT: pb.Span.SPAN_KIND_CLIENT,
}

SCOPE: Final = "plano.ext_proc"

GRPC_PATH: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"


def encode_spans(spans: Iterable[Span], resource: Attributes) -> bytes:
    """Return the message that exports spans."""
    request = ExportTraceServiceRequest()
    of_resource = request.resource_spans.add()
    of_resource.resource.attributes.extend(_attributes(resource))
    of_scope = of_resource.scope_spans.add()
    of_scope.scope.name = SCOPE
    of_scope.spans.extend(_span(span) for span in spans)
    return request.SerializeToString()


def count_rejected(message: bytes) -> int:
    """Return the number of spans that the collector rejected; 0 if its answer is unreadable."""
    try:
        return max(0, ExportTraceServiceResponse.FromString(message).partial_success.rejected_spans)
    except DecodeError:
        return 0


def frame(message: bytes) -> bytes:
    """Add gRPC's length prefix to a message."""
    return b"\0" + len(message).to_bytes(4, "big") + message


def unframe(data: bytes) -> bytes:
    """Remove gRPC's length prefix."""
    return data[5:]


def _span(span: Span) -> pb.Span:
    message = pb.Span(
        trace_id=bytes.fromhex(span.context.trace_id),
        span_id=bytes.fromhex(span.context.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        name=span.name,
        kind=_KINDS[span.kind],
        start_time_unix_nano=span.started,
        end_time_unix_nano=span.ended,
        attributes=_attributes(span.attributes),
    )
    for event in span.events:
        message.events.add(name=event.name, time_unix_nano=event.at, attributes=_attributes(event.attributes))
    if span.error:
        message.status.code = pb.Status.STATUS_CODE_ERROR
        message.status.message = span.error
    return message


def _attributes(attributes: Attributes) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in attributes.items()]


def _value(value: Value) -> AnyValue:
    match value:
        case bool():
            return AnyValue(bool_value=value)
        case int():
            return AnyValue(int_value=value)
        case float():
            return AnyValue(double_value=value)
        case str():
            return AnyValue(string_value=value)
    return AnyValue(array_value=ArrayValue(values=[AnyValue(string_value=item) for item in value]))
