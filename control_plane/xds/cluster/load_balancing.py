"""Load balancing policies, and which endpoints are eligible."""

from typing import Final

from control_plane import ir
from control_plane.xds import api

_POLICIES: Final = {
    ir.LoadBalancing.ROUND_ROBIN: api.cluster.ClusterLbPolicy.ROUND_ROBIN,
    ir.LoadBalancing.LEAST_REQUEST: api.cluster.ClusterLbPolicy.LEAST_REQUEST,
    ir.LoadBalancing.RANDOM: api.cluster.ClusterLbPolicy.RANDOM,
    ir.LoadBalancing.RING_HASH: api.cluster.ClusterLbPolicy.RING_HASH,
}


def lb_policy(cluster: ir.Cluster) -> api.cluster.ClusterLbPolicy:
    """Return Envoy's name of a cluster's policy; all of them respect weights."""
    return _POLICIES[cluster.load_balancing]


def build_common_lb() -> api.cluster.ClusterCommonLbConfig:
    """Build the settings common to all policies."""
    return api.cluster.ClusterCommonLbConfig(
        # Unhealthy endpoints are used only if none is healthy: an attempt is better than "no healthy upstream".
        healthy_panic_threshold=api.type_v3.Percent(value=1),
        # By default Envoy merges changes of health for a second.
        update_merge_window=api.duration(0),
    )
