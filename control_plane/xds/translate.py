"""Gateway -> Resources: all resources for Envoy and ext_proc, consistent and with one version."""

from collections.abc import Collection, Iterable, Iterator
from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import api, consistency
from control_plane.xds.cluster.aggregate import build_aggregate, targets
from control_plane.xds.cluster.attempts import build_attempts, build_failovers, build_unavailable
from control_plane.xds.cluster.cluster import build_cluster, is_eds
from control_plane.xds.cluster.endpoint import Metadata, build_load_assignment
from control_plane.xds.encode import encode
from control_plane.xds.http_filters.retry_after import longest_waits
from control_plane.xds.listener.listener import build_attempts_listener, build_egress_listener, build_listener
from control_plane.xds.listener.tls import build_tls_secrets
from control_plane.xds.prices import priced
from control_plane.xds.resources import Resource, Resources
from control_plane.xds.route.route import build_route_configuration
from control_plane.xds.route.without_decision import build_undecided, build_unresolved
from control_plane.xds.secret import build_secret
from control_plane.xds.session_store import build_store_cluster, build_store_listener
from protos import filter_config_pb2 as pb
from protos.contract.discovery import FILTER_CONFIG_NAME, FILTER_CONFIG_TYPE_URL
from protos.contract.headers import CALLER_HEADER, COST_HEADER, MODEL_HEADER, SESSION_HEADERS, UNCOUNTED_HEADER

_Named = tuple[str, Resource]

_OF_THE_ATTEMPT_STAGE: Final = (COST_HEADER, UNCOUNTED_HEADER, "x-envoy-overloaded")
"""Response headers for the gateway's own use, or that would prevent retries."""


def translate(gateway: ir.Gateway) -> Resources:
    """Translate a gateway; FilterConfig contains the version of all resources."""
    consistency.check(gateway)
    named = [*_clusters(gateway), *_listeners(gateway)]
    if gateway.session_store is not None:
        named.extend(_session_store(gateway.session_store))
    version = Resources.build([*named, _filter_config(gateway, version="")]).version
    return Resources.build([*named, _filter_config(gateway, version=version)], version=version)


def _filter_config(gateway: ir.Gateway, *, version: str) -> _Named:
    config = pb.FilterConfig(version=version)
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
    known = {cluster.name: cluster for cluster in gateway.clusters}
    for chain in gateway.chains:
        is_of_models, wait = chain.is_of_models, waits.get(chain.name)
        built = build_attempts(chain, longest_wait=wait) if is_of_models else build_aggregate(chain, known)
        yield api.CLUSTER, Resource(chain.name, encode(built))
    failovers = [*build_failovers(gateway)]
    for failover in (*failovers, *([build_unavailable()] if failovers else [])):
        yield api.CLUSTER, Resource(failover.name, encode(failover))


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
        for secret in build_tls_secrets(listener.tls) if listener.tls is not None else ():
            yield api.SECRET, Resource(secret.name, encode(secret))
        inside = (*SESSION_HEADERS, MODEL_HEADER) if listener.kind is ir.ListenerKind.MODEL else ()
        yield _routes(
            name,
            listener.routes,
            gateway,
            build_undecided(listener),
            inside,
            callers=listener.callers,
            hosts=listener.hosts,
            cors=listener.cors,
            prices=priced(listener, gateway),
        )
    yield api.LISTENER, Resource(names.EGRESS_LISTENER, encode(build_egress_listener(gateway)))
    yield _routes(names.EGRESS_LISTENER, gateway.egress.routes, gateway)
    yield api.LISTENER, Resource(names.ATTEMPTS_LISTENER, encode(build_attempts_listener(gateway)))
    yield _routes(
        names.ATTEMPTS_LISTENER,
        gateway.attempt_routes,
        gateway,
        build_unresolved(),
        inside=(CALLER_HEADER,),
        not_theirs=_OF_THE_ATTEMPT_STAGE,
    )


def _routes(  # noqa: PLR0913 - as build_route_configuration
    name: str,
    routes: tuple[ir.Route, ...],
    gateway: ir.Gateway,
    undecided: api.xds_matcher.MatcherOnMatch | None = None,
    inside: Iterable[str] = (),
    not_theirs: Iterable[str] = (),
    callers: Iterable[ir.Caller] | None = None,
    hosts: tuple[str, ...] = (),
    cors: ir.Cors | None = None,
    prices: Collection[pb.ModelPrice] = (),
) -> _Named:
    table = build_route_configuration(
        name,
        routes,
        max_request_bytes=gateway.max_request_bytes,
        chains={chain.name: chain for chain in gateway.chains},
        undecided=undecided,
        inside=inside,
        not_theirs=not_theirs,
        callers=callers,
        hosts=hosts,
        cors=cors,
        prices=prices,
    )
    return api.ROUTE, Resource(name, encode(table))
