"""ExternalProcessor messages <-> the attempt stage's events and replies.

Responses are FULL_DUPLEX_STREAMED, so that sent chunks need not match received ones; or STREAMED, if the route
lets the stage detach.
"""

import re
from collections.abc import Iterable
from typing import Final

from ext_proc.attempt.events import (
    AnswerChunk,
    AttemptEvent,
    AttemptHeaders,
    AttemptReply,
    AttemptRequest,
    Detach,
    PlainResponse,
    RequestTrailers,
    ResponseBody,
    ResponseHeaders,
    ResponseTrailers,
    SendBody,
    SendHeaders,
    SendTrailers,
)
from ext_proc.events import Continue, Respond, Trailers
from ext_proc.wire.common import UnexpectedMessage, decode_headers, read_metadata, set_headers, set_metadata
from ext_proc.wire.decide import encode
from protos import ext_proc_pb2 as pb
from protos.contract.headers import ATTEMPT_TIMES_HEADER, METADATA_HEADER, ROUTE_HEADER
from protos.contract.metadata import METADATA_NAMESPACE, METADATA_PATH
from protos.contract.stages import ATTEMPT_HEADERS, ATTRIBUTES_NAMESPACE, header_attribute

_HEADER_STARTS: Final = len(header_attribute("")) - 2
_TIME: Final = re.compile(r"[0-9]{1,12}\.[0-9]{3}", re.ASCII)


def decode_attempt(message: pb.ProcessingRequest) -> AttemptEvent:
    """Return the event of a message.

    Raises:
        UnexpectedMessage: it has no known phase.
    """
    match message.WhichOneof("request"):
        case "request_body":
            return AttemptRequest(_head(message), message.request_body.body)
        case "request_trailers":
            return RequestTrailers()
        case "response_headers":
            head = message.response_headers
            return ResponseHeaders(decode_headers(head.headers.headers), head.end_of_stream)
        case "response_body":
            return ResponseBody(message.response_body.body, message.response_body.end_of_stream)
        case "response_trailers":
            return ResponseTrailers()
        case other:
            raise UnexpectedMessage(other or "empty message")


def decode_plain_answer(message: pb.ProcessingRequest) -> AttemptEvent:
    """Return what Envoy tells of an answer whose request was not shown.

    Raises:
        UnexpectedMessage: it is of no phase.
    """
    event = decode_attempt(message)
    if not isinstance(event, ResponseHeaders):
        return event
    namespaces = message.metadata_context.filter_metadata
    known = namespaces[METADATA_NAMESPACE].fields if METADATA_NAMESPACE in namespaces else {}
    return PlainResponse({key: value.string_value for key, value in known.items()}, event)


def encode_attempt(event: AttemptEvent, replies: Iterable[AttemptReply]) -> list[bytes]:
    """Return the serialized ProcessingResponses that answer an event."""
    return [_encode(event, reply) for reply in replies]


def _head(message: pb.ProcessingRequest) -> AttemptHeaders:
    attributes = message.attributes[ATTRIBUTES_NAMESPACE].fields if ATTRIBUTES_NAMESPACE in message.attributes else {}
    headers = {name[_HEADER_STARTS:-2]: value.string_value for name, value in attributes.items()}
    return AttemptHeaders(
        headers=headers,
        times=tuple(float(time) for time in headers.get(ATTEMPT_TIMES_HEADER, "").split() if _TIME.fullmatch(time)),
        metadata=read_metadata(headers.get(METADATA_HEADER, "")),
        may_detach=message.protocol_config.response_body_mode == pb.ProtocolConfiguration.STREAMED,
    )


def _encode(event: AttemptEvent, reply: AttemptReply) -> bytes:
    response = pb.ProcessingResponse()
    match reply:
        case SendBody():
            streamed = response.response_body.response.body_mutation.streamed_response
            streamed.body, streamed.end_of_stream = reply.data, reply.ends_stream
        case AnswerChunk():
            _fill_chunk(response.response_body.response, reply)
        case Detach():
            raise AssertionError("detaching is the end of the stream, not a message")
        case SendHeaders():
            common = response.response_headers.response
            set_headers(common.header_mutation, reply.set_headers, reply.remove_headers)
            if reply.body is not None:
                common.status = _CONTINUE_AND_REPLACE
                common.body_mutation.body = reply.body
        case SendTrailers():
            response.response_trailers.SetInParent()
        case Continue() if isinstance(event, AttemptRequest):
            _fill_request(response, event.head, reply)
        case Continue() | Respond():
            return encode(Trailers(), reply)
    return response.SerializeToString()


def _fill_request(response: pb.ProcessingResponse, head: AttemptHeaders, reply: Continue) -> None:
    """Fill the request. A filter cannot change headers that it did not receive: http_filters and the route set them."""
    common = response.request_body.response
    common.body_mutation.body = reply.body or b""
    common.clear_route_cache = True
    # Without any mutation Envoy 1.39 does not clear its route cache; it ignores this one.
    set_headers(common.header_mutation, {ROUTE_HEADER: reply.set_headers[ROUTE_HEADER]}, ())
    sent = {**head.headers, **reply.set_headers}
    told = {key: sent[name] for name, key in ATTEMPT_HEADERS.items() if name in sent and name not in reply.remove_headers}
    set_metadata(response, {METADATA_PATH: reply.set_headers[":path"], **told})


def _fill_chunk(common: pb.CommonResponse, reply: AnswerChunk) -> None:
    if reply.data is None:
        common.SetInParent()
    elif reply.data:
        common.body_mutation.body = reply.data
    else:
        common.body_mutation.clear_body = True


_CONTINUE_AND_REPLACE: Final = 1
"""CommonResponse.ResponseStatus: adds a body to a response without one."""
