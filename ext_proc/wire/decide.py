"""Messages of the decide stage <-> events and replies."""

from typing import Final

from ext_proc.events import Continue, Event, Reply, RequestBody, RequestHeaders, Respond, Trailers
from ext_proc.wire.common import UnexpectedMessage, decode_headers, set_headers, set_metadata
from protos import ext_proc_pb2 as pb
from protos.contract.headers import ROUTE_HEADER, TRACEPARENT_HEADER, TRACESTATE_HEADER
from protos.contract.metadata import (
    METADATA_PATH,
    METADATA_ROUTE,
    METADATA_TRACEPARENT,
    METADATA_TRACESTATE,
)
from protos.contract.stages import ATTRIBUTES_NAMESPACE, REQUEST_ATTRIBUTES, header_attribute

_PLAIN: Final = Continue()


def decode(message: pb.ProcessingRequest) -> Event:
    """Return the event of a message.

    Raises:
        UnexpectedMessage: it has another phase, or none.
    """
    match message.WhichOneof("request"):
        case "request_headers":
            head = message.request_headers
            return RequestHeaders(decode_headers(head.headers.headers), head.end_of_stream)
        case "request_body":
            return RequestBody(message.request_body.body, _decode_attributes(message))
        case "request_trailers":
            return Trailers()
        case other:
            raise UnexpectedMessage(other or "empty message")


def encode(event: Event, reply: Reply) -> bytes:
    """Return the serialized ProcessingResponse that answers an event."""
    if isinstance(reply, Respond):
        return encode_respond(reply)
    if reply == _PLAIN:
        return _PLAIN_RESPONSES[type(event)]
    response = pb.ProcessingResponse()
    if isinstance(event, Trailers):
        set_headers(response.request_trailers.header_mutation, reply.set_headers, reply.remove_headers)
    else:
        phase = response.request_headers if isinstance(event, RequestHeaders) else response.request_body
        _fill(phase.response, reply)
    set_metadata(response, reply.metadata)
    if isinstance(event, RequestBody) and event.head is not None:
        set_metadata(response, _as_metadata(reply, event.head))
    return response.SerializeToString()


def _fill(common: pb.CommonResponse, reply: Continue) -> None:
    if reply.set_headers or reply.remove_headers:
        set_headers(common.header_mutation, reply.set_headers, reply.remove_headers)
    if reply.body:
        common.body_mutation.body = reply.body
    elif reply.body is not None:
        common.body_mutation.clear_body = True
    common.clear_route_cache = reply.clear_route_cache


def encode_respond(reply: Respond) -> bytes:
    """Return the serialized ProcessingResponse that ends a request."""
    response = pb.ProcessingResponse()
    immediate = response.immediate_response
    immediate.status.code = reply.status
    immediate.body = reply.body
    immediate.details = reply.details
    set_headers(immediate.headers, reply.headers, ())
    set_metadata(response, reply.metadata)
    return response.SerializeToString()


def _decode_attributes(message: pb.ProcessingRequest) -> RequestHeaders | None:
    if ATTRIBUTES_NAMESPACE not in message.attributes:
        return None
    fields = message.attributes[ATTRIBUTES_NAMESPACE].fields
    known = REQUEST_ATTRIBUTES
    head = {known.get(name) or name[_HEADER_STARTS:-2]: field.string_value for name, field in fields.items()}
    return RequestHeaders(head, ends_stream=False)


def _as_metadata(reply: Continue, head: RequestHeaders) -> dict[str, str]:
    # A filter cannot change headers that it did not receive; http_filters and routes after it set them from these.
    values = {_METADATA_OF[name]: value for name, value in reply.set_headers.items() if name in _METADATA_OF}
    state = head.headers.get(TRACESTATE_HEADER)
    if state and TRACESTATE_HEADER not in reply.remove_headers:
        values[METADATA_TRACESTATE] = state
    if METADATA_PATH in values:
        # A route that rewrites the path keeps the query.
        _, mark, query = head.headers.get(":path", "").partition("?")
        values[METADATA_PATH] = values[METADATA_PATH].removesuffix(mark + query)
    return values


_HEADER_STARTS: Final = len(header_attribute("")) - 2
"""Position of the name in the attribute of a header."""

_METADATA_OF: Final = {
    ROUTE_HEADER: METADATA_ROUTE,
    TRACEPARENT_HEADER: METADATA_TRACEPARENT,
    ":path": METADATA_PATH,
}
"""Headers that a reply to a body without headers sets through dynamic metadata."""

_PLAIN_RESPONSES: Final = {
    RequestHeaders: pb.ProcessingResponse(request_headers=pb.HeadersResponse(response=pb.CommonResponse())).SerializeToString(),
    RequestBody: pb.ProcessingResponse(request_body=pb.BodyResponse(response=pb.CommonResponse())).SerializeToString(),
    Trailers: pb.ProcessingResponse(request_trailers=pb.TrailersResponse()).SerializeToString(),
}
"""Replies without changes, built once."""
