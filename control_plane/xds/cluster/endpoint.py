"""Endpoints -> ClusterLoadAssignment: inline for names that Envoy must resolve, over EDS for IP addresses."""

from collections.abc import Mapping
from typing import Final

from control_plane import ir
from control_plane.xds import address, api
from control_plane.xds.cluster.tls import TLS_MATCH_KEY, TLS_MATCH_NAMESPACE, has_many_names

Metadata = Mapping[str, Mapping[str, str]]
"""Namespace -> key -> value, the same for every endpoint of a cluster."""

_ANY_IS_ENOUGH: Final = 1_000_000
"""Per cent: a cluster with one healthy endpoint is able, so that a chain does not spill over to its next member."""


def build_load_assignment(cluster: ir.Cluster, metadata: Metadata | None = None) -> api.endpoint.ClusterLoadAssignment:
    """Build the assignment in a fixed order, so that equal sets give equal bytes."""
    ordered = sorted(cluster.endpoints, key=lambda endpoint: (endpoint.host, endpoint.port))
    return api.endpoint.ClusterLoadAssignment(
        cluster_name=cluster.name,
        endpoints=[
            api.endpoint.LocalityLbEndpoints(
                lb_endpoints=[_lb_endpoint(endpoint, cluster, dict(metadata or {})) for endpoint in ordered]
            )
        ],
        policy=api.endpoint.ClusterLoadAssignmentPolicy(overprovisioning_factor=_ANY_IS_ENOUGH),
    )


def _lb_endpoint(endpoint: ir.Endpoint, cluster: ir.Cluster, metadata: dict[str, Mapping[str, str]]) -> api.endpoint.LbEndpoint:
    built = api.endpoint.LbEndpoint(
        endpoint=api.endpoint.Endpoint(
            address=address.pipe(endpoint.socket_path) if endpoint.socket_path else address.tcp(endpoint.host, endpoint.port),
            # auto_host_rewrite sends this as Host.
            hostname=endpoint.host_header or cluster.host_header,
        ),
        load_balancing_weight=endpoint.weight,
    )
    if has_many_names(cluster):
        metadata[TLS_MATCH_NAMESPACE] = {TLS_MATCH_KEY: endpoint.host}
    known = {namespace: api.protobuf.Struct.from_dict(dict(values)) for namespace, values in metadata.items()}
    if endpoint.is_canary:
        # Envoy counts its answers separately, under `canary`.
        known["envoy.lb"] = api.protobuf.Struct.from_dict({"canary": True})
    if known:
        built.metadata = api.core.Metadata(filter_metadata=known)
    return built
