"""`tracing` -> the settings of Envoy and ext_proc, and the collector as an upstream."""

from typing import Final
from urllib.parse import urlsplit

from control_plane import ir
from control_plane.config.model import Instance, Overrides, Tracing
from control_plane.gateway.upstream import build_cluster, parse_upstream
from control_plane.ir import names
from protos import filter_config_pb2 as pb

_GRPC_PATH: Final = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
_HTTP_PATH: Final = "/v1/traces"

_AGAIN: Final = ir.Retry(on=("connect-failure", "reset-before-request"), statuses=(429, 502, 503, 504), attempts=2)
"""Statuses that OTLP defines as retryable."""


def build_tracing(tracing: Tracing | None) -> ir.Tracing | None:
    """Build Envoy's tracing; None if it is disabled."""
    if tracing is None:
        return None
    attributes = tracing.span_attributes
    return ir.Tracing(
        sampling_percent=tracing.random_sampling or 0.0,
        traces_internal=tracing.trace_arch_internal,
        collector=_collector(tracing),
        service_name=tracing.service_name or "",
        resource_attributes=tuple(sorted(tracing.resource_attributes.items())),
        static_attributes=tuple(sorted(attributes.static.items())) if attributes else (),
        header_prefixes=tuple(sorted({prefix.lower() for prefix in attributes.header_prefixes})) if attributes else (),
        captures_content=bool(tracing.capture_message_content),
        queue_size=tracing.queue_size or 0,
        batch_size=tracing.batch_size or 0,
        export_interval_seconds=tracing.export_interval or 0.0,
    )


def build_collector_cluster(tracing: Tracing, overrides: Overrides) -> ir.Cluster:
    """Build the cluster of the collector."""
    trusted = overrides.model_copy(update={"upstream_tls_ca_path": tracing.ca_path or overrides.upstream_tls_ca_path})
    return build_cluster(
        names.COLLECTOR,
        (Instance(url=_url(tracing)),),
        None,
        trusted,
        injected_headers=tuple(
            ir.InjectedHeader(header=header.lower(), secret_name=names.secret(names.COLLECTOR, header.lower()), value=value)
            for header, value in sorted(tracing.headers.items())
        ),
        is_http2=bool(tracing.opentracing_grpc_endpoint),
    )


def build_collector_route(tracing: ir.Tracing) -> ir.Route:
    """Build the egress route for ext_proc's spans."""
    return ir.Route(
        name=tracing.collector.cluster,
        cluster=tracing.collector.cluster,
        total_timeout_seconds=tracing.collector.timeout_seconds,
        response_timeout_seconds=tracing.collector.timeout_seconds,
        idle_timeout_seconds=tracing.collector.timeout_seconds,
        retry=_AGAIN,
        keeps_credentials=False,
    )


def _collector(tracing: Tracing) -> ir.Collector:
    upstream = parse_upstream(_url(tracing))
    is_grpc = bool(tracing.opentracing_grpc_endpoint)
    path = _GRPC_PATH if is_grpc else upstream.path or _HTTP_PATH
    parts = urlsplit(_url(tracing))
    return ir.Collector(
        cluster=names.COLLECTOR,
        protocol=ir.OtlpProtocol.GRPC if is_grpc else ir.OtlpProtocol.HTTP,
        url=f"{parts.scheme}://{parts.netloc}{path}",
        path=path,
        timeout_seconds=tracing.export_timeout or 0.0,
    )


def _url(tracing: Tracing) -> str:
    return tracing.opentracing_grpc_endpoint or tracing.otlp_http_endpoint or ""


def build_exporter(tracing: ir.Tracing | None) -> pb.Tracing | None:
    """Build the settings of ext_proc's exporter."""
    if tracing is None:
        return None
    return pb.Tracing(
        route=tracing.collector.cluster,
        path=tracing.collector.path,
        protocol=tracing.collector.protocol,
        timeout_seconds=tracing.collector.timeout_seconds,
        interval_seconds=tracing.export_interval_seconds,
        queue_size=tracing.queue_size,
        batch_size=tracing.batch_size,
        resource={**dict(tracing.resource_attributes), "service.name": tracing.service_name},
        attributes=dict(tracing.static_attributes),
        header_prefixes=tracing.header_prefixes,
        captures_content=tracing.captures_content,
    )
