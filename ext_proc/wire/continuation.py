"""ExternalProcessor messages <-> events and replies of continued streams."""

from ext_proc.continuation.transaction import Head, StreamRequest
from ext_proc.wire.common import UnexpectedMessage, decode_headers
from protos import ext_proc_pb2 as pb
from protos.contract.metadata import METADATA_NAMESPACE


class StreamRequestReader:
    """Puts a request together: its head, then its body in pieces."""

    def __init__(self) -> None:
        self._head: pb.ProcessingRequest | None = None
        self._body: list[bytes] = []

    def read(self, message: pb.ProcessingRequest) -> StreamRequest | None:
        """Take a message; return the request once it is complete.

        Raises:
            UnexpectedMessage: it is of another phase.
        """
        kind, is_last = message.WhichOneof("request"), False
        if kind == "request_headers":
            self._head, is_last = message, message.request_headers.end_of_stream
        elif kind == "request_body" and self._head is not None:
            self._body.append(message.request_body.body)
            is_last = message.request_body.end_of_stream
        elif kind == "request_trailers" and self._head is not None:
            is_last = True
        else:
            raise UnexpectedMessage(kind or "empty message")
        return self._request() if is_last else None

    def _request(self) -> StreamRequest:
        head = self._head or pb.ProcessingRequest()
        told = head.metadata_context.filter_metadata
        metadata = told[METADATA_NAMESPACE].fields if METADATA_NAMESPACE in told else {}
        texts = {key: value.string_value for key, value in metadata.items() if value.HasField("string_value")}
        headers = decode_headers(head.request_headers.headers.headers)
        return StreamRequest(headers=headers, metadata=texts, body=b"".join(self._body))


def encode_part(part: Head | bytes, *, ends_stream: bool = False) -> bytes:
    """Return the serialized ProcessingResponse that sends a part of an answer."""
    response = pb.ProcessingResponse()
    streamed = response.streamed_immediate_response
    if isinstance(part, bytes):
        streamed.body_response.body, streamed.body_response.end_of_stream = part, ends_stream
        return response.SerializeToString()
    add = streamed.headers_response.headers.headers.add
    add(key=":status", raw_value=str(part.status).encode())
    for name, value in part.headers.items():
        add(key=name, raw_value=value.encode(errors="surrogateescape"))
    return response.SerializeToString()
