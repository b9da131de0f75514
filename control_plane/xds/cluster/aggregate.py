"""ir.Chain of agents -> an aggregate cluster, and a cluster for each target, the upstream of a member.

Envoy picks the first healthy member, and a retry (see `route/retry.py`) the next one. Filters of the aggregate run on each
attempt, those of its members do not: so what differs between members travels as metadata of their endpoints.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import api
from control_plane.xds.cluster.circuit_breaker import build_chain_breakers
from control_plane.xds.cluster.cluster import HTTP_OPTIONS
from control_plane.xds.cluster.endpoint import Metadata
from control_plane.xds.http_filters.credential_injector import with_codec
from control_plane.xds.http_filters.member_credentials import MEMBER_KEY, build_member_credentials
from protos.contract.metadata import METADATA_NAMESPACE


@dataclass(frozen=True, slots=True)
class Target:
    """A member's cluster, whose endpoints have metadata."""

    cluster: ir.Cluster
    metadata: Metadata


def targets(gateway: ir.Gateway) -> Iterator[Target]:
    """Yield the targets of all chains, each once, by name."""
    known = {cluster.name: cluster for cluster in gateway.clusters}
    found = {_target_name(member): member for chain in gateway.chains for member in chain.members}
    for name, member in sorted(found.items()):
        yield _target(name, member, known[member.cluster])


def build_aggregate(chain: ir.Chain, clusters: Mapping[str, ir.Cluster]) -> api.cluster.Cluster:
    """Build the cluster for routes; a repeated member is not retried before the others."""
    config = api.aggregate.ClusterConfig(clusters=[*dict.fromkeys(map(_target_name, chain.members))])
    return api.cluster.Cluster(
        name=chain.name,
        connect_timeout=api.duration(chain.connect_timeout_seconds),
        lb_policy=api.cluster.ClusterLbPolicy.CLUSTER_PROVIDED,
        cluster_type=api.cluster.ClusterCustomClusterType(name="envoy.clusters.aggregate", typed_config=api.pack(config)),
        circuit_breakers=build_chain_breakers(chain.circuit_breaker),
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(_protocol(chain, clusters))},
    )


def _target_name(member: ir.ChainMember) -> str:
    return names.target(member.cluster, member.api)


def _target(name: str, member: ir.ChainMember, cluster: ir.Cluster) -> Target:
    said = {"agent": member.agent, MEMBER_KEY: cluster.name if member.agent and cluster.injected_headers else ""}
    known = {key: value for key, value in said.items() if value}
    metadata = {METADATA_NAMESPACE: known} if known else {}
    return Target(replace(cluster, name=name, outlier_detection=_up_to_all(cluster)), metadata)


def _up_to_all(cluster: ir.Cluster) -> ir.OutlierDetection | None:
    """Let every instance of a member be ejected: another member answers, and if none is healthy any is tried."""
    detection = cluster.outlier_detection
    return None if detection is None else replace(detection, max_ejection_percent=100)


def _protocol(chain: ir.Chain, clusters: Mapping[str, ir.Cluster]) -> api.upstream_http.HttpProtocolOptions:
    known = dict.fromkeys(member.cluster for member in chain.members)
    return api.upstream_http.HttpProtocolOptions(
        http_filters=with_codec(build_member_credentials([clusters[name] for name in known])),
        explicit_http_config=api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http_protocol_options=api.core.Http1ProtocolOptions()
        ),
    )
