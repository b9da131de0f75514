"""ExternalProcessor messages <-> errors of providers on plain routes.

Envoy sends the response headers, then the whole body.
"""

from dataclasses import dataclass
from typing import Final

from ext_proc.wire.common import UnexpectedMessage, decode_headers, decode_request, set_headers
from protos import ext_proc_pb2 as pb
from protos.contract.metadata import METADATA_API, METADATA_NAMESPACE

_REPLACE: Final = 1
"""CommonResponse.ResponseStatus.CONTINUE_AND_REPLACE: adds a body to the headers."""


@dataclass(frozen=True, slots=True)
class ErrorHead:
    """The headers of an error."""

    status: int
    encoding: str
    client_api: str
    """Metadata of the decide stage; empty if it did not decide."""
    ends_stream: bool

    @property
    def is_redirect(self) -> bool:
        """Whether it is no error of the provider's, but says that somebody else should be asked."""
        return self.status < 400


@dataclass(frozen=True, slots=True)
class ErrorBytes:
    """Its whole body."""

    data: bytes


def decode_error(message: bytes) -> ErrorHead | ErrorBytes:
    """Return the event of a message.

    Raises:
        UnexpectedMessage: it has no response phase.
    """
    request = decode_request(message)
    match request.WhichOneof("request"):
        case "response_headers":
            head = request.response_headers
            headers = decode_headers(head.headers.headers)
            namespaces = request.metadata_context.filter_metadata
            known = namespaces[METADATA_NAMESPACE].fields if METADATA_NAMESPACE in namespaces else {}
            api = known[METADATA_API].string_value if METADATA_API in known else ""
            return ErrorHead(int(headers[":status"]), headers.get("content-encoding", ""), api, head.end_of_stream)
        case "response_body":
            return ErrorBytes(request.response_body.body)
        case other:
            raise UnexpectedMessage(other or "empty message")


def encode_error(event: ErrorHead | ErrorBytes, body: bytes | None) -> bytes:
    """Return the answer to a message: the client's body, or None to change nothing."""
    response = pb.ProcessingResponse()
    phase = response.response_headers if isinstance(event, ErrorHead) else response.response_body
    common = phase.response
    common.SetInParent()
    if body is not None:
        headers = {"content-type": "application/json", "content-length": str(len(body))}
        set_headers(common.header_mutation, headers, ("content-encoding",))
        common.body_mutation.body = body
        if isinstance(event, ErrorHead):
            common.status = _REPLACE
        if isinstance(event, ErrorHead) and event.is_redirect:
            set_headers(common.header_mutation, {":status": "502"}, ("location",))
    return response.SerializeToString()
