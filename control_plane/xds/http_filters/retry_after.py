"""Upstreams that say when to come back: Envoy waits that long before it tries again, and leaves it be if that is too long.

Envoy alone would ignore a wait that is longer than its limit, and try again at once.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from control_plane import ir
from control_plane.xds import api
from protos.contract.headers import VETO_HEADER

RETRY_AFTER: Final = "retry-after"


def longest_waits(gateway: ir.Gateway) -> Mapping[str, int]:
    """Return cluster or chain -> the seconds that its routes may wait; without those whose routes wait for nobody."""
    waits: dict[str, int] = {}
    for route in _routes(gateway):
        if route.retry.honours_retry_after:
            waits[route.cluster] = max(waits.get(route.cluster, 0), int(route.retry.max_backoff_seconds))
    return waits


def build_veto(longest_seconds: int | None, header: str = RETRY_AFTER) -> list[api.hcm.HttpFilter]:
    """Build the upstream http_filter that forbids another try after an answer that asks for a longer wait, if any may wait.

    A wait that is no number of seconds is a date, and taken for too long.
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
