"""ir.Chain of models -> the cluster to the attempts listener, and the clusters from there to targets.

Envoy counts, times and spaces attempts by this cluster. Each is a request to the attempts listener, whose ext_proc filter makes
the upstream's request, names the target by the route header and classifies the answer. See docs/adr/0005 and 0006.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import address, api
from control_plane.xds.cluster.aggregate import targets
from control_plane.xds.cluster.circuit_breaker import (
    UNLIMITED,
    build_chain_breakers,
    build_circuit_breakers,
    build_retry_breakers,
)
from control_plane.xds.cluster.cluster import HTTP_OPTIONS
from control_plane.xds.http_filters.attempt_history import build_attempt_history
from control_plane.xds.http_filters.credential_injector import build_credential_injectors, with_codec
from control_plane.xds.http_filters.retry_after import build_veto
from protos.contract.headers import RETRY_AFTER_HEADER
from protos.contract.metadata import METADATA_NAMESPACE, UNAVAILABLE

_CONNECT_SECONDS: Final = 5.0
_IDLE_SECONDS: Final = 60.0
_NO_SUCH_SOCKET: Final = "unix://@plano-unavailable"


def build_attempts(chain: ir.Chain, *, longest_wait: int | None = None) -> api.cluster.Cluster:
    """Build the cluster that routes to a chain of models name.

    `longest_wait` is the longest `retry-after` in seconds that is waited for, if any.
    """
    # Responses pass in reverse order: the attempt stage's `retry-after` is checked first.
    filters = with_codec([*build_attempt_history(), *build_veto(longest_wait, RETRY_AFTER_HEADER)])
    # Targets have limits of their own, whose rejections fail over to the next model; a rejection here does not.
    return _static(chain.name, address.internal(names.ATTEMPTS_LISTENER), build_retry_breakers(chain.circuit_breaker), filters)


def build_unavailable() -> api.cluster.Cluster:
    """Build the cluster that replaces targets whose instances are all ejected: it fails at once."""
    built = _static(names.UNAVAILABLE, address.parse(_NO_SUCH_SOCKET), build_circuit_breakers(UNLIMITED))
    assert built.load_assignment is not None
    built.load_assignment.endpoints[0].lb_endpoints[0].metadata = api.core.Metadata(
        filter_metadata={METADATA_NAMESPACE: api.protobuf.Struct.from_dict({UNAVAILABLE: "true"})}
    )
    return built


def build_failovers(gateway: ir.Gateway) -> Iterator[api.cluster.Cluster]:
    """Build the clusters to one target each, as long as any of its instances is healthy."""
    wanted = {route.cluster for route in gateway.attempt_routes}
    for target in (*(target.cluster for target in targets(gateway)), *gateway.clusters):
        if names.failover_target(target.name) in wanted:
            yield _failover(target)


def _failover(target: ir.Cluster) -> api.cluster.Cluster:
    config = api.aggregate.ClusterConfig(clusters=[target.name, names.UNAVAILABLE])
    # A target's own filters do not run here.
    injectors = build_credential_injectors(target.injected_headers)
    return api.cluster.Cluster(
        name=names.failover_target(target.name),
        connect_timeout=api.duration(target.connect_timeout_seconds),
        lb_policy=api.cluster.ClusterLbPolicy.CLUSTER_PROVIDED,
        cluster_type=api.cluster.ClusterCustomClusterType(name="envoy.clusters.aggregate", typed_config=api.pack(config)),
        circuit_breakers=build_chain_breakers(target.circuit_breaker),
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(_http1(with_codec(injectors)))},
    )


def _static(
    name: str, where: api.core.Address, breakers: api.cluster.CircuitBreakers, filters: Iterable[api.hcm.HttpFilter] = ()
) -> api.cluster.Cluster:
    endpoint = api.endpoint.LbEndpoint(endpoint=api.endpoint.Endpoint(address=where))
    assignment = api.endpoint.ClusterLoadAssignment(
        cluster_name=name, endpoints=[api.endpoint.LocalityLbEndpoints(lb_endpoints=[endpoint])]
    )
    options = _http1([*filters])
    options.common_http_protocol_options = api.core.HttpProtocolOptions(idle_timeout=api.duration(_IDLE_SECONDS))
    return api.cluster.Cluster(
        name=name,
        type=api.cluster.ClusterDiscoveryType.STATIC,
        connect_timeout=api.duration(_CONNECT_SECONDS),
        load_assignment=assignment,
        circuit_breakers=breakers,
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(options)},
    )


def _http1(filters: list[api.hcm.HttpFilter]) -> api.upstream_http.HttpProtocolOptions:
    explicit = api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(http_protocol_options=api.core.Http1ProtocolOptions())
    return api.upstream_http.HttpProtocolOptions(http_filters=filters, explicit_http_config=explicit)
