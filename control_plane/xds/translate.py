"""Gateway -> Resources: everything that Envoy and ext_proc are sent, as one consistent, versioned whole."""

from collections.abc import Iterable, Iterator

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import api, consistency
from control_plane.xds.cluster.aggregate import build_chain, targets
from control_plane.xds.cluster.cluster import build_cluster, is_eds
from control_plane.xds.cluster.endpoint import Metadata, build_load_assignment
from control_plane.xds.cluster.failover import build_failover_cluster, build_target_clusters, build_unavailable_cluster
from control_plane.xds.encode import encode
from control_plane.xds.http_filters.retry_after import longest_waits
from control_plane.xds.listener.listener import build_egress_listener, build_listener
from control_plane.xds.resources import Resource, Resources
from control_plane.xds.route.route import build_route_configuration
from control_plane.xds.route.without_decision import build_undecided
from control_plane.xds.secret import build_secret
from control_plane.xds.session_store import build_store_cluster, build_store_listener
from protos.contract.discovery import FILTER_CONFIG_NAME, FILTER_CONFIG_TYPE_URL
from protos.contract.headers import SESSION_HEADERS
from protos.filter_config_pb2 import FilterConfig

_Named = tuple[str, Resource]


def translate(gateway: ir.Gateway) -> Resources:
    """Translate a gateway; FilterConfig carries the version that names all of it."""
    consistency.check(gateway)
    named = [*_clusters(gateway), *_listeners(gateway)]
    if gateway.session_store is not None:
        named.extend(_session_store(gateway.session_store))
    version = Resources.build([*named, _filter_config(gateway, version="")]).version
    return Resources.build([*named, _filter_config(gateway, version=version)], version=version)


def _filter_config(gateway: ir.Gateway, *, version: str) -> _Named:
    config = FilterConfig(version=version)
    config.MergeFrom(gateway.filter_config)
    return FILTER_CONFIG_TYPE_URL, Resource(FILTER_CONFIG_NAME, config.SerializeToString(deterministic=True))


def _clusters(gateway: ir.Gateway) -> Iterator[_Named]:
    waits = longest_waits(gateway)
    for cluster in gateway.clusters:
        yield from _cluster(cluster, longest_wait=waits.get(cluster.name))
        for injected in cluster.injected_headers:
            yield api.SECRET, Resource(injected.secret_name, encode(build_secret(injected)))
    for target in targets(gateway):
        yield from _cluster(target.cluster, target.metadata)
    if any(chain.goes_on_by_choice for chain in gateway.chains):
        for hop in (
            build_failover_cluster(gateway.egress.address),
            build_unavailable_cluster(),
            *build_target_clusters(gateway),
        ):
            yield api.CLUSTER, Resource(hop.name, encode(hop))
    known = {cluster.name: cluster for cluster in gateway.clusters}
    for chain in gateway.chains:
        yield api.CLUSTER, Resource(chain.name, encode(build_chain(chain, known, longest_wait=waits.get(chain.name))))


def _session_store(store: ir.SessionStore) -> Iterator[_Named]:
    yield api.CLUSTER, Resource(store.cluster.name, encode(build_store_cluster(store)))
    if is_eds(store.cluster):
        yield api.ENDPOINT, Resource(store.cluster.name, encode(build_load_assignment(store.cluster)))
    yield api.LISTENER, Resource(names.SESSION_STORE_LISTENER, encode(build_store_listener(store)))


def _cluster(cluster: ir.Cluster, metadata: Metadata | None = None, *, longest_wait: int | None = None) -> Iterator[_Named]:
    yield api.CLUSTER, Resource(cluster.name, encode(build_cluster(cluster, metadata, longest_wait=longest_wait)))
    if is_eds(cluster):
        yield api.ENDPOINT, Resource(cluster.name, encode(build_load_assignment(cluster, metadata)))


def _listeners(gateway: ir.Gateway) -> Iterator[_Named]:
    for listener in gateway.listeners:
        name = names.listener(listener.name)
        yield api.LISTENER, Resource(name, encode(build_listener(listener, gateway)))
        inside = SESSION_HEADERS if listener.kind is ir.ListenerKind.MODEL else ()
        yield _routes(name, listener.routes, gateway, build_undecided(listener), inside)
    yield api.LISTENER, Resource(names.EGRESS_LISTENER, encode(build_egress_listener(gateway)))
    yield _routes(names.EGRESS_LISTENER, gateway.egress.routes, gateway)


def _routes(
    name: str,
    routes: tuple[ir.Route, ...],
    gateway: ir.Gateway,
    undecided: api.xds_matcher.MatcherOnMatch | None = None,
    inside: Iterable[str] = (),
) -> _Named:
    table = build_route_configuration(
        name,
        routes,
        max_request_bytes=gateway.max_request_bytes,
        chains={chain.name for chain in gateway.chains},
        undecided=undecided,
        inside=inside,
    )
    return api.ROUTE, Resource(name, encode(table))
