"""Endpoints -> ClusterLoadAssignment: inline for names that Envoy must resolve, over EDS for IP addresses."""

from control_plane.ir import model as ir
from control_plane.xds import address, api


def build_load_assignment(cluster: ir.Cluster) -> api.endpoint.ClusterLoadAssignment:
    """Place a cluster's endpoints, in order, so that the same set has the same bytes."""
    ordered = sorted(cluster.endpoints, key=lambda endpoint: (endpoint.host, endpoint.port))
    return api.endpoint.ClusterLoadAssignment(
        cluster_name=cluster.name,
        endpoints=[
            api.endpoint.LocalityLbEndpoints(lb_endpoints=[_lb_endpoint(endpoint, cluster.host_header) for endpoint in ordered])
        ],
    )


def _lb_endpoint(endpoint: ir.Endpoint, host_header: str) -> api.endpoint.LbEndpoint:
    return api.endpoint.LbEndpoint(
        endpoint=api.endpoint.Endpoint(
            address=address.tcp(endpoint.host, endpoint.port),
            # auto_host_rewrite sends this as Host, whichever endpoint an attempt goes to.
            hostname=host_header,
        ),
        load_balancing_weight=endpoint.weight,
    )
