"""The http_filter `plano.attempt` of the attempts listener: ext_proc builds an attempt's request and classifies its answer.

An ordinary filter, because Envoy 1.39 and 1.40 crash when a stream ends above a watermark while ext_proc is an upstream filter
of its cluster. See docs/adr/0006 and docs/envoy-crash-report.md.
"""

from typing import Final

from control_plane.xds import api
from control_plane.xds.http_filters.ext_proc import build_grpc_service
from protos.contract.metadata import METADATA_NAMESPACE
from protos.contract.stages import ATTEMPT_ATTRIBUTES, STAGE_ATTEMPT

FILTER_NAME: Final = "plano.attempt"

_HELD_SECONDS: Final = 3600
"""Longer than any route's timeouts, which apply while ext_proc holds the headers."""


def build_attempt_filter() -> api.hcm.HttpFilter:
    """Build the attempt stage, which is the same for every chain."""
    config = api.ext_proc.ExternalProcessor(
        grpc_service=build_grpc_service(stage=STAGE_ATTEMPT),
        processing_mode=_processing_mode(may_detach=False),
        request_attributes=list(ATTEMPT_ATTRIBUTES),
        # On routes that let the stage detach, Envoy holds the response headers and still sends the body.
        send_body_without_waiting_for_header_response=True,
        message_timeout=api.duration(_HELD_SECONDS),
        # ext_proc knows the length of a buffered body, and removes content-length otherwise.
        allow_content_length_header=True,
        mutation_rules=api.mutation.HeaderMutationRules(allow_all_routing=True, allow_envoy=True),
        metadata_options=api.ext_proc.MetadataOptions(
            receiving_namespaces=api.ext_proc.MetadataOptionsMetadataNamespaces(untyped=[METADATA_NAMESPACE])
        ),
        status_on_error=api.type_v3.HttpStatus(code=api.type_v3.StatusCode.ServiceUnavailable),
    )
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(config))


def let_attempts_detach() -> dict[str, api.protobuf.Any]:
    """Build the route's override that lets the stage detach from an answer.

    Only in this mode Envoy keeps a chunk until it is answered, and passes it on when the stage detaches. In other modes
    it loses the chunk (*seen* on 1.39.3).
    """
    override = api.ext_proc.ExtProcOverrides(processing_mode=_processing_mode(may_detach=True))
    return {FILTER_NAME: api.pack(api.ext_proc.ExtProcPerRoute(overrides=override))}


def _processing_mode(*, may_detach: bool) -> api.ext_proc.ProcessingMode:
    headers, body = api.ext_proc.ProcessingModeHeaderSendMode, api.ext_proc.ProcessingModeBodySendMode
    return api.ext_proc.ProcessingMode(
        # Attributes contain the needed ones (ADR 4).
        request_header_mode=headers.SKIP,
        request_body_mode=body.BUFFERED,
        request_trailer_mode=headers.SKIP,
        response_header_mode=headers.SEND,
        # Chunks need no reply each: the headers are held until the first content.
        response_body_mode=body.STREAMED if may_detach else body.FULL_DUPLEX_STREAMED,
        response_trailer_mode=headers.SEND,
    )
