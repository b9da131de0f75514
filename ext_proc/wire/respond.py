"""ExternalProcessor messages of an answer on its way to the client <-> its parts.

Envoy tells the request's head, then the answer's head, body and trailers; in its full-duplex mode, what comes back need not
match that piece by piece.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ext_proc.respond.answer import AnswerHead
from ext_proc.wire.common import UnexpectedMessage, decode_headers, decode_request, set_headers
from protos import ext_proc_pb2 as pb
from protos.contract.metadata import METADATA_API, METADATA_NAMESPACE
from protos.contract.stages import ATTRIBUTES_NAMESPACE, RESPOND_ATTRIBUTE

_BY_AN_UPSTREAM: Final = "via_upstream"
"""Envoy's word for what did not come from itself: so it also calls what ext_proc answers as a stream."""


@dataclass(frozen=True, slots=True)
class RequestHead:
    """The head of the request."""

    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class HeadPart:
    """The head of the answer."""

    head: AnswerHead
    is_last: bool


@dataclass(frozen=True, slots=True)
class BodyPart:
    """Some of its body."""

    data: bytes
    ends_answer: bool


@dataclass(frozen=True, slots=True)
class TrailersPart:
    """Its trailers."""

    ends_answer = True


AnswerPart = RequestHead | HeadPart | BodyPart | TrailersPart


def decode_part(message: bytes, request_headers: Mapping[str, str]) -> AnswerPart:
    """Return what Envoy tells.

    Raises:
        UnexpectedMessage: it is of a phase that is not ours.
    """
    request = decode_request(message)
    match request.WhichOneof("request"):
        case "request_headers":
            return RequestHead(decode_headers(request.request_headers.headers.headers))
        case "response_headers":
            return HeadPart(_head(request, request_headers), request.response_headers.end_of_stream)
        case "response_body":
            return BodyPart(request.response_body.body, request.response_body.end_of_stream)
        case "response_trailers":
            return TrailersPart()
        case other:
            raise UnexpectedMessage(other or "empty message")


def _head(request: pb.ProcessingRequest, request_headers: Mapping[str, str]) -> AnswerHead:
    headers = decode_headers(request.response_headers.headers.headers)
    namespaces = request.metadata_context.filter_metadata
    known = namespaces[METADATA_NAMESPACE].fields if METADATA_NAMESPACE in namespaces else {}
    attributes = request.attributes[ATTRIBUTES_NAMESPACE].fields if ATTRIBUTES_NAMESPACE in request.attributes else {}
    details = attributes[RESPOND_ATTRIBUTE].string_value if RESPOND_ATTRIBUTE in attributes else ""
    return AnswerHead(
        api=known[METADATA_API].string_value if METADATA_API in known else "",
        status=int(headers[":status"]),
        headers=headers,
        request_headers=request_headers,
        is_local=details != _BY_AN_UPSTREAM,
    )


def encode_request_head() -> bytes:
    """Return the request's head, unchanged."""
    response = pb.ProcessingResponse()
    response.request_headers.response.SetInParent()
    return response.SerializeToString()


def encode_head(*, set_: Mapping[str, str] | None = None, removed: tuple[str, ...] = ()) -> bytes:
    """Return the answer's head, changed."""
    response = pb.ProcessingResponse()
    response.response_headers.response.SetInParent()
    if set_ or removed:
        set_headers(response.response_headers.response.header_mutation, set_ or {}, removed)
    return response.SerializeToString()


def encode_body(data: bytes, *, is_last: bool) -> bytes:
    """Return some of the answer's body."""
    response = pb.ProcessingResponse()
    streamed = response.response_body.response.body_mutation.streamed_response
    streamed.body, streamed.end_of_stream = data, is_last
    return response.SerializeToString()


def encode_trailers() -> bytes:
    """Return the answer's trailers, unchanged."""
    return pb.ProcessingResponse(response_trailers=pb.TrailersResponse()).SerializeToString()
