"""Where attempts of a chain of models go but for the first: through the egress listener, to the model that ext_proc chooses.

Envoy's retry does not know why an attempt failed, and picks an endpoint before a filter is asked. So all endpoints that it can
pick are the same one, and the attempt stage names the target by the route header.
See docs/adr/0005-chains-go-on-where-ext-proc-says.md.
"""

from collections.abc import Iterator
from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import address, api
from control_plane.xds.cluster.aggregate import targets
from control_plane.xds.cluster.circuit_breaker import build_chain_breakers, build_circuit_breakers
from control_plane.xds.cluster.cluster import HTTP_OPTIONS
from control_plane.xds.http_filters.credential_injector import build_credential_injectors, with_codec
from protos.contract.metadata import METADATA_NAMESPACE, UNAVAILABLE

_TURNS: Final = 32
"""Each attempt takes a priority that no attempt before had; after the last Envoy begins again with the chain's first model."""

_UNLIMITED: Final = ir.CircuitBreaker(max_connections=1 << 30, max_pending_requests=1 << 30, max_requests=1 << 30)
"""Chains and targets have limits of their own."""

_NO_SUCH_SOCKET: Final = "unix://@plano-unavailable"


def build_failover_cluster(egress_address: str) -> api.cluster.Cluster:
    """Build the cluster that leads to the egress listener, as often as one request may need it."""
    where = api.endpoint.LbEndpoint(endpoint=api.endpoint.Endpoint(address=address.parse(egress_address)))
    turns = [api.endpoint.LocalityLbEndpoints(priority=turn, lb_endpoints=[where]) for turn in range(_TURNS)]
    return _static(names.FAILOVER, turns)


def build_unavailable_cluster() -> api.cluster.Cluster:
    """Build the cluster that is tried in place of targets that are known to be down: it fails at once, and says why."""
    where = api.endpoint.LbEndpoint(
        endpoint=api.endpoint.Endpoint(address=address.parse(_NO_SUCH_SOCKET)),
        metadata=api.core.Metadata(filter_metadata={METADATA_NAMESPACE: api.protobuf.Struct.from_dict({UNAVAILABLE: "true"})}),
    )
    return _static(names.UNAVAILABLE, [api.endpoint.LocalityLbEndpoints(lb_endpoints=[where])])


def build_target_clusters(gateway: ir.Gateway) -> Iterator[api.cluster.Cluster]:
    """Build the clusters that lead to one target each, as long as any of its instances is well."""
    wanted = {route.cluster for route in gateway.egress.routes}
    for target in targets(gateway):
        name = names.failover_target(target.cluster.name)
        if name in wanted:
            yield _target_cluster(name, target.cluster)


def _target_cluster(name: str, target: ir.Cluster) -> api.cluster.Cluster:
    config = api.aggregate.ClusterConfig(clusters=[target.name, names.UNAVAILABLE])
    # A target's own filters do not run here.
    injectors = build_credential_injectors(target.injected_headers)
    return api.cluster.Cluster(
        name=name,
        connect_timeout=api.duration(target.connect_timeout_seconds),
        lb_policy=api.cluster.ClusterLbPolicy.CLUSTER_PROVIDED,
        cluster_type=api.cluster.ClusterCustomClusterType(name="envoy.clusters.aggregate", typed_config=api.pack(config)),
        circuit_breakers=build_chain_breakers(target.circuit_breaker),
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(_http1(with_codec(injectors)))},
    )


def _static(name: str, endpoints: list[api.endpoint.LocalityLbEndpoints]) -> api.cluster.Cluster:
    return api.cluster.Cluster(
        name=name,
        type=api.cluster.ClusterDiscoveryType.STATIC,
        connect_timeout=api.duration(5),
        load_assignment=api.endpoint.ClusterLoadAssignment(cluster_name=name, endpoints=endpoints),
        circuit_breakers=build_circuit_breakers(_UNLIMITED),
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(_http1([]))},
    )


def _http1(filters: list[api.hcm.HttpFilter]) -> api.upstream_http.HttpProtocolOptions:
    explicit = api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(http_protocol_options=api.core.Http1ProtocolOptions())
    return api.upstream_http.HttpProtocolOptions(http_filters=filters, explicit_http_config=explicit)
