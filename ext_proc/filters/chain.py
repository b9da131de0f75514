"""Runs filters in order: the body that one leaves is what the next one sees."""

from collections.abc import Sequence

from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import Egress
from ext_proc.runtime import Filter


async def run_chain(filters: Sequence[Filter], request: FilteredRequest, *, egress: Egress, sessions: McpSessions) -> bytes:
    """Run the filters and return the body they leave: a JSON object, the very same bytes if none changed it.

    Raises:
        FilterRejected: a filter refused the request.
        FilterFailed: a filter could not be reached, was too slow or answered nonsense.
    """
    raise NotImplementedError
