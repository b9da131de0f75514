"""Runs filters in order: the body that one leaves is what the next one sees."""

from collections.abc import Sequence
from dataclasses import replace

from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.http_filter import call_http_filter
from ext_proc.filters.mcp_filter import call_mcp_filter
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import Egress
from ext_proc.runtime import Filter, FilterType


async def run_chain(filters: Sequence[Filter], request: FilteredRequest, *, egress: Egress, sessions: McpSessions) -> bytes:
    """Run the filters and return the body they leave: a JSON object, the very same bytes if none changed it.

    Raises:
        FilterRejected: a filter refused the request; the ones after it were not asked.
        FilterFailed: a filter could not be reached (503), was too slow (504) or answered nonsense (502).
    """
    for filter_ in filters:
        if filter_.type is FilterType.MCP:
            body = await call_mcp_filter(filter_, request, egress=egress, sessions=sessions)
        else:
            body = await call_http_filter(filter_, request, egress=egress)
        request = replace(request, body=body)
    return request.body
