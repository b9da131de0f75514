"""ir.Chain -> an aggregate cluster, and a cluster of its own for each target: the upstream, and what an attempt at it needs.

Envoy picks the first member that is well, and a retry (see `retry.py`) the next one. A chain of models has two: its first
model, and `next_hop`, from where ext_proc sends an attempt on. Filters of the aggregate run on each attempt, those of its
members do not: so what differs between members travels as metadata of their endpoints.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import api
from control_plane.xds.cluster.circuit_breaker import build_chain_breakers
from control_plane.xds.cluster.cluster import HTTP_OPTIONS
from control_plane.xds.cluster.endpoint import Metadata
from control_plane.xds.http_filters.attempt import build_attempt_filter
from control_plane.xds.http_filters.credential_injector import with_codec
from control_plane.xds.http_filters.member_credentials import MEMBER_KEY, build_member_credentials
from control_plane.xds.http_filters.retry_after import build_veto
from protos.contract.headers import RETRY_AFTER_HEADER
from protos.contract.metadata import METADATA_NAMESPACE


@dataclass(frozen=True, slots=True)
class Target:
    """A member's cluster, whose endpoints say what they are."""

    cluster: ir.Cluster
    metadata: Metadata


def targets(gateway: ir.Gateway) -> Iterator[Target]:
    """Yield the targets of all chains, each once, by name."""
    known = {cluster.name: cluster for cluster in gateway.clusters}
    found = {_target_name(member): member for chain in gateway.chains for member in chain.members}
    for name, member in sorted(found.items()):
        yield _target(name, member, known[member.cluster])


def build_chain(chain: ir.Chain, clusters: Mapping[str, ir.Cluster], *, longest_wait: int | None = None) -> api.cluster.Cluster:
    """Build the cluster that routes name; a member that occurs again is not tried again before the others were."""
    config = api.aggregate.ClusterConfig(clusters=_member_clusters(chain))
    return api.cluster.Cluster(
        name=chain.name,
        connect_timeout=api.duration(chain.connect_timeout_seconds),
        lb_policy=api.cluster.ClusterLbPolicy.CLUSTER_PROVIDED,
        cluster_type=api.cluster.ClusterCustomClusterType(name="envoy.clusters.aggregate", typed_config=api.pack(config)),
        circuit_breakers=build_chain_breakers(chain.circuit_breaker),
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(_protocol(chain, clusters, longest_wait))},
    )


def _member_clusters(chain: ir.Chain) -> list[str]:
    members = [*dict.fromkeys(map(_target_name, chain.members))]
    return [*members[:1], names.FAILOVER] if chain.goes_on_by_choice else members


def _target_name(member: ir.ChainMember) -> str:
    return names.target(member.cluster, member.api)


def _target(name: str, member: ir.ChainMember, cluster: ir.Cluster) -> Target:
    said = {"agent": member.agent, "model": member.model, "api": member.api}
    if cluster.injected_headers:
        said[MEMBER_KEY] = cluster.name
    metadata = {METADATA_NAMESPACE: {key: value for key, value in said.items() if value}}
    return Target(replace(cluster, name=name, outlier_detection=_up_to_all(cluster)), metadata)


def _up_to_all(cluster: ir.Cluster) -> ir.OutlierDetection | None:
    """Let every instance of a member be left alone: there is another member, and if none is well any is tried."""
    detection = cluster.outlier_detection
    return None if detection is None else replace(detection, max_ejection_percent=100)


def _protocol(
    chain: ir.Chain, clusters: Mapping[str, ir.Cluster], longest_wait: int | None
) -> api.upstream_http.HttpProtocolOptions:
    filters: list[api.hcm.HttpFilter] = []
    if chain.is_of_models:
        # Responses pass in reverse: what the attempt stage says about waiting is judged after it.
        filters = [*build_veto(longest_wait, RETRY_AFTER_HEADER), build_attempt_filter()]
    asked = chain.members[:1] if chain.goes_on_by_choice else chain.members
    known = dict.fromkeys(member.cluster for member in asked)
    filters += build_member_credentials([clusters[name] for name in known])
    return api.upstream_http.HttpProtocolOptions(
        http_filters=with_codec(filters),
        explicit_http_config=api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http_protocol_options=api.core.Http1ProtocolOptions()
        ),
    )
