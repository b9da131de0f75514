"""Routes of the attempts listener: one to each target, and one to each target that fails if all its instances are ejected.

The routes to chains bound the time of an attempt and decide on retries.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from control_plane import ir
from control_plane.gateway.models import ProviderEntry, find_entry
from control_plane.gateway.retries import BEFORE_THE_REQUEST
from control_plane.ir import names

_BACKOFF_SECONDS: Final = 0.025


def build_attempt_routes(chains: Iterable[ir.Chain], entries: tuple[ProviderEntry, ...]) -> Iterator[ir.Route]:
    """Build the routes to all targets; a model without fallbacks is used even if it is ejected."""
    targets: dict[str, ir.ChainMember] = {}
    replaceable: set[str] = set()
    for chain in chains:
        if chain.is_of_models:
            members = {names.target(member.cluster, member.api): member for member in chain.members}
            targets |= members
            replaceable.update(members if len(members) > 1 else ())
    for target, member in sorted(targets.items()):
        entry = find_entry(entries, member.model)
        assert entry is not None, "members of chains of models are entries"
        for route in (target, *([names.failover_target(target)] if target in replaceable else [])):
            yield build_attempt_route(route, route, instances=member.instances, keeps_credentials=entry.keeps_credentials)


def build_attempt_route(name: str, cluster: str, *, instances: int, keeps_credentials: bool = False) -> ir.Route:
    """Build a route to a model, without timeouts."""
    return ir.Route(
        name=name,
        cluster=cluster,
        response_timeout_seconds=0.0,
        idle_timeout_seconds=0.0,
        retry=_another_instance(instances),
        keeps_credentials=keeps_credentials,
        takes_decided_path=True,
    )


def _another_instance(instances: int) -> ir.Retry:
    """Retry connection failures on another instance at once; the attempt stage handles all other failures."""
    return ir.Retry(
        on=BEFORE_THE_REQUEST,
        statuses=(),
        attempts=instances - 1,
        base_backoff_seconds=_BACKOFF_SECONDS,
        max_backoff_seconds=_BACKOFF_SECONDS,
    )
