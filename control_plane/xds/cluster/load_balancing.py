"""How the next endpoint of a cluster is chosen, and which endpoints count as able."""

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
    """Return Envoy's word for a cluster's policy; weights are respected by all of them."""
    return _POLICIES[cluster.load_balancing]


def build_common_lb() -> api.cluster.ClusterCommonLbConfig:
    """Build what holds for every policy."""
    return api.cluster.ClusterCommonLbConfig(
        # Endpoints that are not well are used only if none is: then a real try beats "no healthy upstream".
        healthy_panic_threshold=api.type_v3.Percent(value=1),
        # By default Envoy gathers changes of health for a second before it acts on them.
        update_merge_window=api.duration(0),
    )
