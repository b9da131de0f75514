"""The upstream http_filter `plano.attempt`: ext_proc sees each attempt of a chain, and its answer before the client."""

from functools import cache
from typing import Final

from control_plane.xds import api
from control_plane.xds.ext_proc_filter import build_grpc_service
from ext_proc import contract

FILTER_NAME: Final = "plano.attempt"

_HELD_SECONDS: Final = 3600
"""Longer than any route's timeouts, which bound the wait for a first byte: ext_proc holds the headers until it comes."""

_PLANO: Final = api.ext_proc.MetadataOptionsMetadataNamespaces(untyped=[contract.METADATA_NAMESPACE])


@cache
def build_attempt_filter() -> api.hcm.HttpFilter:
    """Build the attempt stage, which is the same for every chain: the endpoint's metadata says what each attempt is for."""
    config = api.ext_proc.ExternalProcessor(
        grpc_service=build_grpc_service(stage=contract.STAGE_ATTEMPT),
        processing_mode=_processing_mode(),
        # Scalars of the namespace `plano`, and not the endpoint's credentials beside them.
        request_attributes=list(contract.ATTEMPT_ATTRIBUTES),
        message_timeout=api.duration(_HELD_SECONDS),
        # ext_proc knows how long what it has held is, and takes the length off wherever it does not.
        allow_content_length_header=True,
        mutation_rules=api.mutation.HeaderMutationRules(allow_all_routing=True),
        metadata_options=api.ext_proc.MetadataOptions(forwarding_namespaces=_PLANO, receiving_namespaces=_PLANO),
        status_on_error=api.type_v3.HttpStatus(code=api.type_v3.StatusCode.ServiceUnavailable),
    )
    return api.hcm.HttpFilter(name=FILTER_NAME, typed_config=api.pack(config))


def _processing_mode() -> api.ext_proc.ProcessingMode:
    headers, body = api.ext_proc.ProcessingModeHeaderSendMode, api.ext_proc.ProcessingModeBodySendMode
    return api.ext_proc.ProcessingMode(
        request_header_mode=headers.SEND,
        request_body_mode=body.BUFFERED,
        request_trailer_mode=headers.SKIP,
        response_header_mode=headers.SEND,
        # Pieces are not answered one by one: the headers are held until the first one is understood.
        response_body_mode=body.FULL_DUPLEX_STREAMED,
        response_trailer_mode=headers.SEND,
    )
