"""HTTP filters: POST <filter's path><the client's API path> with a body; a 2xx brings the body that replaces it.

The body is in the client's own API, so a filter tells by the path how to read it: the request, the whole answer, or an event of
the answer's stream as `text/event-stream`. A 204, or a 2xx without a body, means "unchanged".
"""

from typing import Final

import orjson

from ext_proc.codec.json_body import load_json
from ext_proc.codec.sse import SseDecoder, encode_event
from ext_proc.filters.filter import Filter
from ext_proc.filters.filter_reply import check_reply, failed
from ext_proc.filters.filtered_request import FilteredRequest, forwarded_headers
from ext_proc.ports import Egress, EgressResponse


async def call_http_filter(filter_: Filter, request: FilteredRequest, *, egress: Egress) -> bytes:
    """Call the filter and return the resulting body.

    Raises:
        FilterRejected, FilterFailed: see `filter_reply`.
    """
    reply = await egress.post(
        filter_.route,
        filter_.path + request.path,
        headers=http_filter_headers(filter_, request),
        body=_as_event(request.body) if _is_stream(filter_, request) else request.body,
        timeout_seconds=filter_.timeout_seconds,
    )
    return read_http_reply(filter_.id, reply, unchanged=request.body)


def http_filter_headers(filter_: Filter, request: FilteredRequest) -> dict[str, str]:
    """Return the headers of the call."""
    return forwarded_headers(request.headers, passthrough_auth=filter_.passthrough_auth) | {
        "accept": _EVENTS if _is_stream(filter_, request) else "application/json",
        "accept-encoding": "identity",
        "content-type": _EVENTS if _is_stream(filter_, request) else "application/json",
    }


_EVENTS: Final = "text/event-stream"


def _is_stream(filter_: Filter, request: FilteredRequest) -> bool:
    """Tell if the filter gets its body as a stream would have it: Python functions get objects."""
    return request.is_event and filter_.type == "http"


def _as_event(body: bytes) -> bytes:
    """Write an event as its API does: where events have a type, it is also their name."""
    return encode_event(body, str(orjson.loads(body).get("type", "")))


def read_http_reply(filter_id: str, reply: EgressResponse, *, unchanged: bytes) -> bytes:
    """Return the filter's body; `unchanged` is the one that it was sent."""
    check_reply(filter_id, reply)
    if not reply.body or reply.body.isspace():
        return unchanged
    body = reply.body if reply.body.lstrip()[:1] in b"{[" else _event_in(filter_id, reply.body)
    try:
        value = load_json(body)
    except ValueError as error:
        raise failed(filter_id, "answered with something that is not JSON", detail=str(error)) from error
    if not isinstance(value, dict):
        raise failed(filter_id, "answered with something that is not a JSON object")
    return body


def _event_in(filter_id: str, stream: bytes) -> bytes:
    """Return the JSON of the one event in a reply; of a reply without any, all of it."""
    decoder = SseDecoder(max_event_bytes=2 * len(stream) + 1)
    events = [event.data for event in (*decoder.feed(stream), *decoder.finish()) if event.data]
    if len(events) > 1:
        raise failed(filter_id, "answered with several events for one")
    return events[0] if events else stream
