"""Routes for resuming streams: from listeners to ext_proc, and from ext_proc to chains and single models.

Streams of a chain with at least two models can be resumed, if a listener enables it; only needed routes are built.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from control_plane import ir
from control_plane.config.model import Listener, Overrides
from control_plane.gateway.chains import build_stream_route
from control_plane.gateway.models import ProviderEntry, find_entry
from control_plane.ir import names


@dataclass(frozen=True, slots=True, kw_only=True)
class Continuations:
    """The additional chains and routes for resuming."""

    chains: tuple[ir.Chain, ...]
    """One chain per model and client API."""
    egress_routes: tuple[ir.Route, ...]


NO_CONTINUATIONS = Continuations(chains=(), egress_routes=())


def build_continuations(
    chains: Iterable[tuple[ProviderEntry, ir.Chain]],
    entries: tuple[ProviderEntry, ...],
    listeners: Iterable[Listener],
    overrides: Overrides,
) -> Continuations:
    """Build the routes for the chains that begin with an entry, with the timeouts of the only model listener."""
    listener = next((one for one in listeners if one.type == "model" and one.continues_streams), None)
    if listener is None:
        return NO_CONTINUATIONS
    resumptions: dict[str, ir.Chain] = {}
    routes: list[ir.Route] = []
    for primary, chain in chains:
        if not is_resumable(chain):
            continue
        routes.append(replace(build_stream_route(chain, primary, listener, overrides), name=names.continued(chain.name)))
        for member in chain.members:
            alone = replace(member, cluster=member.resumed_cluster, api=member.resumed_api)
            resumptions.setdefault(member.resumed, replace(chain, name=member.resumed, members=(alone,)))
    for name, chain in resumptions.items():
        entry = find_entry(entries, chain.members[0].model)
        assert entry is not None, "members of chains are entries"
        route = build_stream_route(chain, entry, listener, overrides)
        # No retries: the next model resumes instead.
        routes.append(replace(route, name=name, retry=replace(route.retry, attempts=0)))
    return Continuations(chains=tuple(resumptions.values()), egress_routes=tuple(routes))


def is_resumable(chain: ir.Chain) -> bool:
    """Whether streams of a chain can be resumed."""
    return any(member.resumed for member in chain.members)


def build_continued_routes(
    chains: Iterable[tuple[ProviderEntry, ir.Chain]], listener: Listener, overrides: Overrides
) -> Iterator[ir.Route]:
    """Build the routes of a listener by which streams reach ext_proc."""
    for primary, chain in chains:
        if is_resumable(chain):
            asked = build_stream_route(chain, primary, listener, overrides)
            # ext_proc and the egress listener enforce the idle timeouts: this route must outlast them.
            longest = (asked.idle_timeout_seconds + asked.response_timeout_seconds) * (2 * len(chain.members) + 1)
            name = names.continued(chain.name)
            yield replace(asked, name=name, can_detach=False, is_resumable=True, idle_timeout_seconds=longest)
