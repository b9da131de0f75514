"""A listener for operators: `GET /stats` and what is below it, of the admin interface, none of the rest, and `/healthz`.

It answers whatever clients do to the other listeners.
"""

from typing import Final

from control_plane.xds import address, api
from control_plane.xds.http_filters.order import build_health_check

_ADMIN_CLUSTER: Final = "admin"
_PATH: Final = "/stats"
_SECONDS: Final = 30


def build_stats_listener(where: str) -> api.listener.Listener:
    """Build the listener."""
    manager = api.hcm.HttpConnectionManager(
        stat_prefix="stats",
        normalize_path=True,
        request_headers_timeout=api.duration(_SECONDS),
        stream_idle_timeout=api.duration(_SECONDS),
        common_http_protocol_options=api.core.HttpProtocolOptions(idle_timeout=api.duration(_SECONDS)),
        route_config=_routes(),
        http_filters=[
            build_health_check(),
            api.hcm.HttpFilter(name="envoy.filters.http.router", typed_config=api.pack(api.router.Router())),
        ],
    )
    http = api.listener.Filter(name="envoy.filters.network.http_connection_manager", typed_config=api.pack(manager))
    return api.listener.Listener(
        name="listener/(stats)",
        address=address.parse(where),
        filter_chains=[api.listener.FilterChain(filters=[http])],
        # Scraping must work when clients have exhausted connections or memory.
        ignore_global_conn_limit=True,
        bypass_overload_manager=True,
    )


def build_admin_cluster(admin: str) -> api.cluster.Cluster:
    """Build the cluster that leads to Envoy's own admin interface."""
    endpoint = api.endpoint.LbEndpoint(endpoint=api.endpoint.Endpoint(address=address.parse(admin)))
    return api.cluster.Cluster(
        name=_ADMIN_CLUSTER,
        type=api.cluster.ClusterDiscoveryType.STATIC,
        connect_timeout=api.duration(1),
        load_assignment=api.endpoint.ClusterLoadAssignment(
            cluster_name=_ADMIN_CLUSTER, endpoints=[api.endpoint.LocalityLbEndpoints(lb_endpoints=[endpoint])]
        ),
    )


def _routes() -> api.route.RouteConfiguration:
    get = api.route.HeaderMatcher(name=":method", string_match=api.matcher.StringMatcher(exact="GET"))
    stats = api.route.Route(
        match=api.route.RouteMatch(path_separated_prefix=_PATH, headers=[get]),
        route=api.route.RouteAction(cluster=_ADMIN_CLUSTER),
    )
    host = api.route.VirtualHost(name="stats", domains=["*"], routes=[stats])
    return api.route.RouteConfiguration(name="stats", virtual_hosts=[host])
