"""Routes by which attempts of chains go on to models: on the egress listener, two for each target.

One is for a model's first turn, and leads nowhere while the model is known to be down; the other has it tried all the same.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from control_plane import ir
from control_plane.gateway.models import ProviderEntry, find_entry
from control_plane.gateway.retries import BEFORE_THE_REQUEST
from control_plane.ir import names

_BACKOFF_SECONDS: Final = 0.025


def build_failover_routes(chains: Iterable[ir.Chain], entries: tuple[ProviderEntry, ...]) -> Iterator[ir.Route]:
    """Build the routes. The route that the attempt came from bounds its time."""
    members = {
        names.target(member.cluster, member.api): member
        for chain in chains
        if chain.goes_on_by_choice
        for member in chain.members
    }
    for name, member in sorted(members.items()):
        entry = find_entry(entries, member.model)
        assert entry is not None, "members of chains of models are entries"
        for route in (names.failover_target(name), name):
            yield build_failover_route(route, route, instances=member.instances, keeps_credentials=entry.keeps_credentials)


def build_failover_route(name: str, cluster: str, *, instances: int, keeps_credentials: bool = False) -> ir.Route:
    """Build a route to a model that bounds nothing itself."""
    return ir.Route(
        name=name,
        cluster=cluster,
        response_timeout_seconds=0.0,
        idle_timeout_seconds=0.0,
        retry=_another_instance(instances),
        keeps_credentials=keeps_credentials,
    )


def _another_instance(instances: int) -> ir.Retry:
    """Try another instance at once where one cannot be reached; whatever else fails is judged outside."""
    return ir.Retry(
        on=BEFORE_THE_REQUEST,
        statuses=(),
        attempts=instances - 1,
        base_backoff_seconds=_BACKOFF_SECONDS,
        max_backoff_seconds=_BACKOFF_SECONDS,
    )
