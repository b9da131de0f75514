"""JSON-RPC 2.0 as MCP's Streamable HTTP carries it: a request in a POST, the response as JSON or as an event stream.

https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
"""

from collections.abc import Iterator, Mapping

import orjson

from ext_proc.codec.json_body import load_json
from ext_proc.codec.sse import SseDecoder
from ext_proc.ports import EgressResponse


class JsonRpcError(Exception):
    """The peer answered with a JSON-RPC error."""

    def __init__(self, code: object, message: str, data: object = None) -> None:
        super().__init__(f"JSON-RPC error {code!r:.20}: {message:.200}")
        self.code = code
        self.data = data


class NoResponse(Exception):
    """The answer contains no response to the request."""


def request(request_id: int, method: str, params: Mapping[str, object]) -> bytes:
    """Encode a request; values may be `orjson.Fragment`s."""
    return orjson.dumps({"jsonrpc": "2.0", "id": request_id, "method": method, "params": dict(params)})


def notification(method: str) -> bytes:
    """Encode a notification."""
    return orjson.dumps({"jsonrpc": "2.0", "method": method})


def read_result(reply: EgressResponse, request_id: int) -> Mapping[str, object]:
    """Return the result of the request.

    Raises:
        JsonRpcError: the peer returned an error.
        NoResponse: nothing in the reply answers the request.
    """
    for message in _messages(reply):
        error = message.get("error")
        # A peer that cannot identify the request answers with the id null.
        if isinstance(error, dict) and message.get("id") in (request_id, None):
            raise JsonRpcError(error.get("code"), str(error.get("message", "")), error.get("data"))
        result = message.get("result")
        if message.get("id") == request_id and isinstance(result, dict):
            return result
    raise NoResponse("no JSON-RPC response in the reply")


def _messages(reply: EgressResponse) -> Iterator[Mapping[str, object]]:
    content_type = reply.headers.get("content-type", "").partition(";")[0].strip().lower()
    for document in _events(reply.body) if content_type == "text/event-stream" else (reply.body,):
        try:
            message = load_json(document)
        except ValueError:
            continue
        # Batches exist only in revision 2025-03-26.
        yield from (entry for entry in (message if isinstance(message, list) else [message]) if isinstance(entry, dict))


def _events(stream: bytes) -> Iterator[bytes]:
    # The reply is in memory and bounded already, and so are its events.
    decoder = SseDecoder(max_event_bytes=2 * len(stream) + 1)
    yield from (event.data for event in (*decoder.feed(stream), *decoder.finish()) if event.data is not None)
