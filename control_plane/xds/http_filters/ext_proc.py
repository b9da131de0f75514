"""The http_filter `plano.decide`: ext_proc decides each request once its body is complete.

A listener whose filters need the client's headers sends them in a separate message. Any other sends one message, with
the body and a few attributes, which halves what a decision costs; see docs/adr/0004-one-ext-proc-message-per-decision.md.
"""

from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.metadata import METADATA_NAMESPACE
from protos.contract.stages import (
    LISTENER_METADATA,
    REQUEST_ATTRIBUTES,
    RESPOND_ATTRIBUTE,
    STAGE_DECIDE,
    STAGE_DECIDE_BODY,
    STAGE_METADATA,
    STAGE_RESPOND,
    header_attribute,
)

EXT_PROC_CLUSTER: Final = "ext_proc"
"""In the bootstrap, not in CDS: changing it would break active streams."""

FILTER_NAME: Final = "plano.decide"

RESPOND_FILTER: Final = "plano.respond"

_ANSWER_SECONDS: Final = 3600
"""Longer than any answer's first byte, which other timeouts bound."""

ANSWERS_CLUSTER: Final = "ext_proc_answers"
"""Beside it: the same workers, as the upstream of answers that they make. Connections of their own, with windows so small that
clients who read slowly cost little, and no decision waits for them."""

_UNAVAILABLE = api.type_v3.StatusCode.ServiceUnavailable


def build_ext_proc(listener: ir.Listener) -> api.hcm.HttpFilter:
    """Build the decide stage of a listener."""
    config = api.ext_proc.ExternalProcessor(
        grpc_service=build_grpc_service(
            stage=STAGE_DECIDE if listener.shows_headers else STAGE_DECIDE_BODY, listener=listener.name
        ),
        processing_mode=processing_mode(sends_headers=listener.shows_headers),
        request_attributes=[] if listener.shows_headers else _attributes(listener),
        # Envoy's default of 200 ms is too short for calls of filters and orchestrators.
        message_timeout=api.duration(listener.decision_timeout_seconds),
        mutation_rules=api.mutation.HeaderMutationRules(allow_all_routing=True),
        metadata_options=api.ext_proc.MetadataOptions(
            receiving_namespaces=api.ext_proc.MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])
        ),
        status_on_error=api.type_v3.HttpStatus(code=_UNAVAILABLE),
    )
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(config))


def _attributes(listener: ir.Listener) -> list[str]:
    return [*REQUEST_ATTRIBUTES, *(header_attribute(header) for header in listener.choosing_headers)]


def build_respond(listener: ir.Listener) -> api.hcm.HttpFilter:
    """Build the stage that shows answers to output filters. It fails closed: without ext_proc there is no answer."""
    headers, body = api.ext_proc.ProcessingModeHeaderSendMode, api.ext_proc.ProcessingModeBodySendMode
    config = api.ext_proc.ExternalProcessor(
        grpc_service=build_grpc_service(stage=STAGE_RESPOND, listener=listener.name),
        processing_mode=api.ext_proc.ProcessingMode(
            request_header_mode=headers.SEND,
            request_body_mode=body.NONE,
            request_trailer_mode=headers.SKIP,
            response_header_mode=headers.SEND,
            # Held text is sent later, in other chunks.
            response_body_mode=body.FULL_DUPLEX_STREAMED,
            response_trailer_mode=headers.SEND,
        ),
        response_attributes=[RESPOND_ATTRIBUTE],
        message_timeout=api.duration(_ANSWER_SECONDS),
        metadata_options=api.ext_proc.MetadataOptions(
            forwarding_namespaces=api.ext_proc.MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])
        ),
        status_on_error=api.type_v3.HttpStatus(code=_UNAVAILABLE),
    )
    return api.hcm.HttpFilter(name=RESPOND_FILTER, typed_config=api.pack(config))


def processing_mode(*, sends_headers: bool) -> api.ext_proc.ProcessingMode:
    """Build the mode of the decide stage: the whole request body, optionally headers, and nothing of the response."""
    headers, body = api.ext_proc.ProcessingModeHeaderSendMode, api.ext_proc.ProcessingModeBodySendMode
    return api.ext_proc.ProcessingMode(
        request_header_mode=headers.SEND if sends_headers else headers.SKIP,
        request_body_mode=body.BUFFERED,
        request_trailer_mode=headers.SKIP,
        response_header_mode=headers.SKIP,
        response_body_mode=body.NONE,
        response_trailer_mode=headers.SKIP,
    )


def build_grpc_service(*, stage: str, listener: str = "") -> api.core.GrpcService:
    """Build the gRPC service of ext_proc, with the listener's name as metadata."""
    said = {STAGE_METADATA: stage, LISTENER_METADATA: listener}
    return api.core.GrpcService(
        envoy_grpc=api.core.GrpcServiceEnvoyGrpc(cluster_name=EXT_PROC_CLUSTER),
        # No retry policy here: Envoy would parse it for each stream, which took a sixth of its CPU. The cluster has one.
        initial_metadata=[api.core.HeaderValue(key=key, value=value) for key, value in said.items() if value],
    )
