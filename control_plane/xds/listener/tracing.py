"""ir.Tracing -> Envoy's OpenTelemetry tracer: a listener's server span, and a client span for each attempt.

Sampling is decided once, where a trace begins; requests with its context follow that decision. Envoy's own sampling
would decide again on each listener, and never sample a request whose `x-request-id` is not a UUID.
"""

from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import api
from control_plane.xds.http_filters.token_usage import TOKENS
from protos.contract.headers import CALLER_HEADER
from protos.contract.metadata import (
    METADATA_AGENT,
    METADATA_API,
    METADATA_DECISION,
    METADATA_MODEL,
    METADATA_NAMESPACE,
)

_TRACER: Final = "envoy.tracers.opentelemetry"
_WHOLE: Final = api.type_v3.Percent(value=100)
_MILLION: Final = 1_000_000
_INSIDE: Final = {names.EGRESS_LISTENER: "egress", names.ATTEMPTS_LISTENER: "target"}
"""Internal listeners -> prefixes of their spans' names."""

_DECIDED: Final = (METADATA_AGENT, METADATA_API, METADATA_DECISION, METADATA_MODEL)
"""Dynamic metadata that spans show, as `plano.<key>`."""

_VALUES: Final = {
    # Replaces Envoy's own, which has the query: some clients put their key there.
    "http.url": "%REQ(:SCHEME)%://%REQ(:AUTHORITY)%%PATH(NQ:ORIG_OR_PATH)%",
    "plano.attempt": "%UPSTREAM_REQUEST_ATTEMPT_COUNT%",
    "plano.caller": f"%REQ({CALLER_HEADER})%",
    "plano.first_byte_ms": "%RESPONSE_DURATION%",
    "plano.route": "%ROUTE_NAME%",
    "plano.status_details": "%RESPONSE_CODE_DETAILS%",
}
"""Other attributes, in access log format."""

_USAGE: Final = {f"plano.usage.{kind}_tokens": value for kind, value in TOKENS.items()}
"""Under our own names: model call spans have `gen_ai.usage.*`, which tools add up."""


def build_tracing(tracing: ir.Tracing, listener: str) -> api.hcm.HttpConnectionManagerTracing:
    """Build the tracing of a listener's requests; `listener` is its resource name."""
    begins = 0.0 if listener in _INSIDE and not tracing.traces_internal else tracing.sampling_percent
    return api.hcm.HttpConnectionManagerTracing(
        # The sampler decides.
        random_sampling=_WHOLE,
        overall_sampling=_WHOLE,
        provider=api.trace.TracingHttp(name=_TRACER, typed_config=api.pack(_tracer(tracing, begins))),
        # An attempt has a span to the attempts listener, which adds one for the upstream.
        spawn_upstream_span=listener != names.ATTEMPTS_LISTENER,
        operation=f"{_INSIDE[listener]} %ROUTE_NAME%" if listener in _INSIDE else "%REQ(:METHOD)% %PATH(NQ:ORIG_OR_PATH)%",
        upstream_operation="attempt %UPSTREAM_REQUEST_ATTEMPT_COUNT% %UPSTREAM_CLUSTER%",
        custom_tags=_tags(tracing, listener),
    )


def build_request_id() -> api.hcm.RequestIdExtension:
    """Build the request ids; ids of clients do not influence sampling."""
    config = api.request_id.UuidRequestIdConfig(pack_trace_reason=False, use_request_id_for_trace_sampling=False)
    return api.hcm.RequestIdExtension(typed_config=api.pack(config))


def _tracer(tracing: ir.Tracing, begins: float) -> api.trace.OpenTelemetryConfig:
    collector = tracing.collector
    config = api.trace.OpenTelemetryConfig(
        service_name=tracing.service_name,
        resource_detectors=[_resource(tracing)] if tracing.resource_attributes else [],
        sampler=_sampler(begins),
        max_cache_size=tracing.queue_size,
    )
    timeout = api.duration(collector.timeout_seconds)
    if collector.protocol is ir.OtlpProtocol.GRPC:
        envoy_grpc = api.core.GrpcServiceEnvoyGrpc(cluster_name=collector.cluster)
        config.grpc_service = api.core.GrpcService(envoy_grpc=envoy_grpc, timeout=timeout)
    else:
        uri = api.core.HttpUri(uri=collector.url, cluster=collector.cluster, timeout=timeout)
        config.http_service = api.core.HttpService(http_uri=uri)
    return config


def _resource(tracing: ir.Tracing) -> api.core.TypedExtensionConfig:
    config = api.resource_detectors.StaticConfigResourceDetectorConfig(attributes=dict(tracing.resource_attributes))
    return api.extension("envoy.tracers.opentelemetry.resource_detectors.static_config", config)


def _sampler(percent: float) -> api.core.TypedExtensionConfig:
    share = api.type_v3.FractionalPercent(
        numerator=round(percent / 100 * _MILLION), denominator=api.type_v3.FractionalPercentDenominatorType.MILLION
    )
    ratio = api.extension(
        "envoy.tracers.opentelemetry.samplers.trace_id_ratio_based",
        api.samplers.TraceIdRatioBasedSamplerConfig(sampling_percentage=share),
    )
    config = api.samplers.ParentBasedSamplerConfig(wrapped_sampler=ratio)
    return api.extension("envoy.tracers.opentelemetry.samplers.parent_based", config)


def _tags(tracing: ir.Tracing, listener: str) -> list[api.tracing.CustomTag]:
    fixed = {"plano.listener": listener, **dict(tracing.static_attributes)}
    decided = {f"plano.{key}": f"%DYNAMIC_METADATA({METADATA_NAMESPACE}:{key})%" for key in _DECIDED}
    return [
        *(api.tracing.CustomTag(tag=tag, literal=api.tracing.CustomTagLiteral(value=value)) for tag, value in fixed.items()),
        # Without a value there is no tag.
        *(api.tracing.CustomTag(tag=tag, value=value) for tag, value in sorted({**decided, **_VALUES, **_USAGE}.items())),
    ]
