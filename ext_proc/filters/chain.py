"""Runs filters in order: each receives the body that the previous one returned."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from ext_proc.errors import FilterFailed, FilterRejected
from ext_proc.filters.filter import Filter
from ext_proc.filters.filter_answer import check_answer
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.http_filter import call_http_filter
from ext_proc.filters.mcp_filter import call_mcp_filter
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import Egress
from process_log import get_logger


async def _call_http(filter_: Filter, request: FilteredRequest, egress: Egress, _sessions: McpSessions) -> bytes:
    return await call_http_filter(filter_, request, egress=egress)


async def _call_mcp(filter_: Filter, request: FilteredRequest, egress: Egress, sessions: McpSessions) -> bytes:
    return await call_mcp_filter(filter_, request, egress=egress, sessions=sessions)


Call = Callable[[Filter, FilteredRequest, Egress, McpSessions], Awaitable[bytes]]

CALLS: Final[Mapping[str, Call]] = {"http": _call_http, "mcp": _call_mcp, "python": _call_http}
"""Type of a filter -> how it is called. Raises what `run_chain` does."""


async def run_chain(filters: Sequence[Filter], request: FilteredRequest, *, egress: Egress, sessions: McpSessions) -> bytes:
    """Run the filters and return the resulting body: a JSON object, the same bytes if none changed it.

    Raises:
        FilterAnswered: a filter has answered the request itself.
        FilterRejected: a filter rejected the request; later ones were not called.
        FilterFailed: a filter could not be reached (503), was too slow (504) or answered nonsense (502), and is not one whose
            failures let the body pass.
    """
    for filter_ in filters:
        try:
            body = await CALLS[filter_.type](filter_, request, egress, sessions)
        except FilterRejected as refusal:
            if filter_.refusal_message:
                raise FilterRejected(filter_.refusal_message, status=refusal.status) from None
            raise
        except FilterFailed as failure:
            if not filter_.passes_on_error:
                raise
            _log.warning("filter_passed", filter=filter_.id, reason=failure.public_message, detail=failure.detail)
            continue
        if request.may_be_answered:
            check_answer(filter_.id, body)
        request = replace(request, body=body)
    return request.body


_log: Final = get_logger()
