"""HTTP filters: POST <filter's path><the client's API path> with the client's body; a 2xx brings the body that replaces it.

The body is in the client's own API, so a filter tells by the path how to read it. A 204, or a 2xx without a body, means
"unchanged".
"""

from ext_proc.codec.json_body import load_json
from ext_proc.filters.filter import Filter
from ext_proc.filters.filter_reply import check_reply, failed
from ext_proc.filters.filtered_request import FilteredRequest, forwarded_headers
from ext_proc.ports import Egress, EgressResponse


async def call_http_filter(filter_: Filter, request: FilteredRequest, *, egress: Egress) -> bytes:
    """Call the filter and return the body that it leaves.

    Raises:
        FilterRejected, FilterFailed: see `filter_reply`.
    """
    reply = await egress.post(
        filter_.route,
        filter_.path + request.path,
        headers=http_filter_headers(filter_, request),
        body=request.body,
        timeout_seconds=filter_.timeout_seconds,
    )
    return read_http_reply(filter_.id, reply, unchanged=request.body)


def http_filter_headers(filter_: Filter, request: FilteredRequest) -> dict[str, str]:
    """Return the headers of the call."""
    return forwarded_headers(request.headers, passthrough_auth=filter_.passthrough_auth) | {
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
    }


def read_http_reply(filter_id: str, reply: EgressResponse, *, unchanged: bytes) -> bytes:
    """Return the body that the filter leaves; `unchanged` is what it was sent."""
    check_reply(filter_id, reply)
    if not reply.body or reply.body.isspace():
        return unchanged
    try:
        body = load_json(reply.body)
    except ValueError as error:
        raise failed(filter_id, "answered with something that is not JSON", detail=str(error)) from error
    if not isinstance(body, dict):
        raise failed(filter_id, "answered with something that is not a JSON object")
    return reply.body
