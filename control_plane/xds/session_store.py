"""ir.SessionStore -> an authenticated Redis cluster, and the internal listener that proxies commands to it.

https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/other_protocols/redis
"""

from typing import Final

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import address, api
from control_plane.xds.cluster.cluster import build_cluster
from control_plane.xds.cluster.tls import build_tls_socket

_FILTER: Final = "envoy.filters.network.redis_proxy"


def build_store_cluster(store: ir.SessionStore) -> api.cluster.Cluster:
    """Build the cluster; its endpoints are served like those of other clusters."""
    built = build_cluster(store.cluster)
    built.typed_extension_protocol_options = {_FILTER: api.pack(_credentials(store))}
    # A request can do without its session: failing at once is better than after an attempt that is likely to fail.
    built.common_lb_config = api.cluster.ClusterCommonLbConfig(healthy_panic_threshold=api.type_v3.Percent(value=0))
    if store.cluster.tls is not None:
        built.transport_socket = build_tls_socket(store.cluster.tls, protocols=())
    return built


def build_store_listener(store: ir.SessionStore) -> api.listener.Listener:
    """Build the listener, which requires no password."""
    proxy = api.redis_proxy.RedisProxy(
        stat_prefix=names.SESSION_STORE_LISTENER,
        settings=api.redis_proxy.RedisProxyConnPoolSettings(op_timeout=api.duration(store.answer_timeout_seconds)),
        prefix_routes=api.redis_proxy.RedisProxyPrefixRoutes(
            catch_all_route=api.redis_proxy.RedisProxyPrefixRoutesRoute(cluster=store.cluster.name)
        ),
    )
    return api.listener.Listener(
        name=names.SESSION_STORE_LISTENER,
        stat_prefix=names.SESSION_STORE_LISTENER,
        address=address.parse(store.address),
        traffic_direction=api.core.TrafficDirection.OUTBOUND,
        filter_chains=[
            api.listener.FilterChain(name="redis", filters=[api.listener.Filter(name=_FILTER, typed_config=api.pack(proxy))])
        ],
    )


def _credentials(store: ir.SessionStore) -> api.redis_proxy.RedisProtocolOptions:
    """Put the password into a field that Envoy redacts in its dumps; redis_proxy does not support SDS for it."""
    options = api.redis_proxy.RedisProtocolOptions()
    if store.user:
        options.auth_username = api.core.DataSource(inline_string=store.user)
    if store.password is not None:
        options.auth_password = api.core.DataSource(inline_string=store.password.reveal())
    return options
