"""Tracing. Where Plano has no such key, it is ours; each of those has a variable of OpenTelemetry's beside it."""

from typing import Annotated, Literal

from pydantic import Field

from control_plane.config.model.types import Default, Duration, NoEffect, SecretText, Section, Text


class SpanAttributes(Section):
    """What every span says."""

    header_prefixes: tuple[Text, ...] = ()
    """Request headers that begin so become attributes of what ext_proc traces: with `x-team-`, `x-team-name` becomes `name`."""
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
    """Percent of the requests that are traced. One that belongs to a trace already is traced if its caller says so."""
    trace_arch_internal: bool = False
    """Whether calls are traced, too, that no request has caused, such as questions for prices."""
    opentracing_grpc_endpoint: Annotated[
        Text | None, Default("`OTEL_EXPORTER_OTLP_ENDPOINT`, `OTEL_TRACING_GRPC_ENDPOINT` or `http://localhost:4317`")
    ] = None
    """Collector (OTLP over gRPC), `http://host:port`."""
    otlp_http_endpoint: Text | None = None
    """Collector (OTLP over HTTP) instead, `http://host:port`; spans go to its `/v1/traces` unless it has a path."""
    headers: Annotated[dict[str, SecretText], Field(default_factory=dict), Default("`OTEL_EXPORTER_OTLP_HEADERS`")]
    """What the collector gets along, such as its key."""
    service_name: Annotated[Text | None, Default("`OTEL_SERVICE_NAME`, or `plano`")] = None
    """What the gateway is called in traces."""
    resource_attributes: Annotated[dict[str, str], Field(default_factory=dict), Default("`OTEL_RESOURCE_ATTRIBUTES`")]
    """What else is said of the gateway, such as `deployment.environment.name`."""
    queue_size: Annotated[Annotated[int, Field(ge=1, le=1_000_000)] | None, Default("`OTEL_BSP_MAX_QUEUE_SIZE`, or 2048")] = (
        None
    )
    """Spans that wait for the collector, in Envoy and in each worker; more are dropped."""
    batch_size: Annotated[
        Annotated[int, Field(ge=1, le=65_536)] | None, Default("`OTEL_BSP_MAX_EXPORT_BATCH_SIZE`, or 512")
    ] = None
    """Spans that a worker sends at once."""
    export_interval: Annotated[Duration | None, Default("`OTEL_BSP_SCHEDULE_DELAY`, or 5s")] = None
    """After which spans are sent that are fewer."""
    export_timeout: Annotated[Duration | None, Default("`OTEL_EXPORTER_OTLP_TIMEOUT`, or 10s")] = None
    """Bounds one delivery to the collector."""
    ca_path: Annotated[Text | None, Default("`OTEL_EXPORTER_OTLP_CERTIFICATE`, or `overrides.upstream_tls_ca_path`")] = None
    """File of the certificate authorities that a collector behind https is verified with."""
    capture_message_content: Annotated[
        bool | None, Default("`OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT`, or false")
    ] = None
    """Whether spans hold what users and tools say."""
    span_attributes: SpanAttributes | None = None
    """What every span says."""
    exporters: Annotated[tuple[Exporter, ...], NoEffect("spans go to the collector alone")] = ()
    """Where spans of model calls are sent besides."""
