"""Tracing. Fields that extend Plano's correspond to environment variables of OpenTelemetry."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.types import Default, Duration, NoEffect, SecretText, Section, Text


class SpanAttributes(Section):
    """Attributes of all spans."""

    header_prefixes: tuple[Text, ...] = ()
    """Prefixes of request headers that become attributes of ext_proc's spans: with `x-team-`, `x-team-name` becomes `name`."""
    static: Annotated[dict[str, str], Field(default_factory=dict)]
    """Attributes with a fixed value, of all spans."""


class Exporter(Section):
    """Where spans of model calls are sent besides the collector."""

    type: Literal["posthog"]
    """What receives them."""
    url: Text
    """Where it is."""
    api_key: SecretText
    """Its key; write it as `$VARIABLE`."""
    distinct_id_header: Text | None = None
    """Request header that identifies a user."""
    capture_messages: bool = False
    """Whether the user's message is sent, too."""


class Tracing(Section):
    """OpenTelemetry tracing."""

    random_sampling: Annotated[float | None, Field(ge=0, le=100), Default("`OTEL_TRACES_SAMPLER`, or none")] = None
    """Percent of requests that are traced. A request with a trace context follows its caller's decision."""
    trace_arch_internal: bool = False
    """Whether calls that no request caused are also traced, such as fetches of prices."""
    opentracing_grpc_endpoint: Annotated[
        Text | None, Default("`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACING_GRPC_ENDPOINT` or `http://localhost:4317`")
    ] = None
    """Collector (OTLP over gRPC), `http://host:port`."""
    otlp_http_endpoint: Text | None = None
    """Collector (OTLP over HTTP) instead, `http://host:port`; spans go to its `/v1/traces` unless it has a path."""
    headers: Annotated[dict[str, SecretText], Field(default_factory=dict), Default("`OTEL_EXPORTER_OTLP_HEADERS`")]
    """Headers for the collector, such as its key."""
    service_name: Annotated[Text | None, Default("`OTEL_SERVICE_NAME`, or `plano`")] = None
    """Name of the gateway in traces."""
    resource_attributes: Annotated[dict[str, str], Field(default_factory=dict), Default("`OTEL_RESOURCE_ATTRIBUTES`")]
    """Other resource attributes, such as `deployment.environment.name`."""
    queue_size: Annotated[Annotated[int, Field(ge=1, le=1_000_000)] | None, Default("`OTEL_BSP_MAX_QUEUE_SIZE`, or 2048")] = (
        None
    )
    """Maximum of spans in the queue, in Envoy and in each worker; more are dropped."""
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=65_536)] | None, Default("`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, or 512")
    ] = None
    """Spans in one export of a worker."""
    export_interval: Annotated[Duration | None, Default("`OTEL_BSP_SCHEDULE_DELAY`, or 5s")] = None
    """After this time, smaller batches are sent."""
    export_timeout: Annotated[Duration | None, Default("`OTEL_EXPORTER_OTLP_TIMEOUT`, or 10s")] = None
    """Timeout of one export."""
    ca_path: Annotated[Text | None, Default("`OTEL_EXPORTER_OTLP_CERTIFICATE`, or `overrides.upstream_tls_ca_path`")] = None
    """File of the certificate authorities for verifying the collector."""
    capture_message_content: Annotated[
        bool | None, Default("`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, or false")
    ] = None
    """Whether spans contain text of messages and tools."""
    span_attributes: SpanAttributes | None = None
    """Attributes of all spans."""
    exporters: Annotated[tuple[Exporter, ...], NoEffect("spans go to the collector alone")] = ()
    """Where spans of model calls are sent besides."""
