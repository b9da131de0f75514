"""`retry-after` of upstreams: Envoy waits that long before a retry, and does not retry if it is too long.

By itself Envoy would ignore a wait above its limit, and retry at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.headers import VETO_HEADER

RETRY_AFTER: Final = "retry-after"


def longest_waits(gateway: ir.Gateway) -> Mapping[str, int]:
    """Return the longest wait of routes by cluster or chain, in seconds, without those that do not wait."""
    waits: dict[str, int] = {}
    for route in _routes(gateway):
        if route.retry.honours_retry_after:
            waits[route.cluster] = max(waits.get(route.cluster, 0), int(route.retry.max_backoff_seconds))
    return waits


def build_veto(longest_seconds: int | None, header: str = RETRY_AFTER) -> list[api.hcm.HttpFilter]:
    """Build the upstream http_filter that prevents a retry after a longer `retry-after`, if any is waited for.

    A value that is not a number of seconds is a date, and counts as too long.
    """
    if longest_seconds is None:
        return []
    wait = f"response.headers['{header}']"
    is_short = f"({wait}.matches('^[0-9]{{1,6}}$') && int({wait}) <= {longest_seconds})"
    value = f"%CEL('{header}' in response.headers && !{is_short} ? 'true' : '')%"
    veto = api.core.HeaderValueOption(
        header=api.core.HeaderValue(key=VETO_HEADER, value=value),
        append_action=api.core.HeaderValueOptionHeaderAppendAction.OVERWRITE_IF_EXISTS_OR_ADD,
    )
    mutations = api.header_mutation.Mutations(response_mutations=[api.mutation.HeaderMutation(append=veto)])
    config = api.header_mutation.HeaderMutation(mutations=mutations)
    return [api.hcm.HttpFilter(name="plano.retry_after", typed_config=api.pack(config))]


def _routes(gateway: ir.Gateway) -> Iterator[ir.Route]:
    tables: Iterable[tuple[ir.Route, ...]] = (*(listener.routes for listener in gateway.listeners), gateway.egress.routes)
    for routes in tables:
        yield from routes
