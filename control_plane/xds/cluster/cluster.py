"""ir.Cluster -> Envoy Cluster: how an upstream is found, reached, protected and authenticated to."""

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.address import is_ip
from control_plane.xds.cluster.circuit_breaker import build_circuit_breakers
from control_plane.xds.cluster.endpoint import Metadata, build_load_assignment
from control_plane.xds.cluster.health_check import build_health_check
from control_plane.xds.cluster.load_balancing import build_common_lb, lb_policy
from control_plane.xds.cluster.outlier_detection import build_outlier_detection
from control_plane.xds.cluster.tls import build_tls_matches, build_tls_socket
from control_plane.xds.http_filters.aws_request_signing import build_aws_signing
from control_plane.xds.http_filters.client_token import build_client_token
from control_plane.xds.http_filters.credential_injector import build_credential_injectors, with_codec
from control_plane.xds.http_filters.retry_after import build_veto

HTTP_OPTIONS = "envoy.extensions.upstreams.http.v3.HttpProtocolOptions"


def is_eds(cluster: ir.Cluster) -> bool:
    """Whether every endpoint is an IP address, so that endpoints can change without a new cluster."""
    return all(is_ip(endpoint.host) for endpoint in cluster.endpoints)


def build_cluster(
    cluster: ir.Cluster, metadata: Metadata | None = None, *, longest_wait: int | None = None
) -> api.cluster.Cluster:
    """Build the cluster; its endpoints are served over EDS if `is_eds`.

    `longest_wait` is the longest `retry-after` in seconds that is waited for, if any.
    """
    built = api.cluster.Cluster(
        name=cluster.name,
        connect_timeout=api.duration(cluster.connect_timeout_seconds),
        lb_policy=lb_policy(cluster),
        common_lb_config=build_common_lb(),
        circuit_breakers=build_circuit_breakers(cluster.circuit_breaker),
        # A removed instance gets no new requests, although it is healthy; its active ones finish.
        ignore_health_on_host_removal=True,
        upstream_connection_options=api.cluster.UpstreamConnectionOptions(
            tcp_keepalive=api.core.TcpKeepalive(keepalive_probes=3, keepalive_time=60, keepalive_interval=10)
        ),
        typed_extension_protocol_options={HTTP_OPTIONS: api.pack(_protocol(cluster, longest_wait))},
    )
    _protect(built, cluster)
    _locate(built, cluster, metadata)
    return built


def _protect(built: api.cluster.Cluster, cluster: ir.Cluster) -> None:
    if cluster.tls is not None:
        built.transport_socket = build_tls_socket(cluster.tls)
        built.transport_socket_matches = build_tls_matches(cluster)
    if cluster.outlier_detection is not None:
        built.outlier_detection = build_outlier_detection(cluster.outlier_detection)
    if cluster.health_check is not None:
        built.health_checks = [build_health_check(cluster.health_check, cluster.host_header)]


def _locate(built: api.cluster.Cluster, cluster: ir.Cluster, metadata: Metadata | None) -> None:
    if is_eds(cluster):
        built.type = api.cluster.ClusterDiscoveryType.EDS
        built.eds_cluster_config = api.cluster.ClusterEdsClusterConfig(eds_config=api.ads())
        return
    built.load_assignment = build_load_assignment(cluster, metadata)
    if cluster.endpoints[0].socket_path:
        built.type = api.cluster.ClusterDiscoveryType.STATIC
        return
    built.cluster_type = api.cluster.ClusterCustomClusterType(name="envoy.cluster.dns", typed_config=api.pack(_dns(cluster)))


def _dns(cluster: ir.Cluster) -> api.dns_cluster.DnsCluster:
    # `localhost` is 127.0.0.1 and ::1, and a server may listen on only one of them: try both for each connection.
    # Otherwise each address is an endpoint, so that load is balanced and a retry can avoid the one that failed.
    both_families = len(cluster.endpoints) == 1 and cluster.endpoints[0].host == "localhost"
    family = api.dns.DnsLookupFamily
    return api.dns_cluster.DnsCluster(
        dns_lookup_family=family.ALL if both_families else family.V4_PREFERRED,
        all_addresses_in_single_endpoint=both_families,
        respect_dns_ttl=True,
        dns_failure_refresh_rate=api.dns_cluster.DnsClusterRefreshRate(
            base_interval=api.duration(1), max_interval=api.duration(10)
        ),
    )


def _protocol(cluster: ir.Cluster, longest_wait: int | None) -> api.upstream_http.HttpProtocolOptions:
    options = api.upstream_http.HttpProtocolOptions(
        http_filters=with_codec(
            [
                *build_veto(longest_wait),
                *(build_client_token() if cluster.takes_client_token else ()),
                *build_credential_injectors(cluster.injected_headers),
                *(build_aws_signing(cluster.aws, cluster.host_header) if cluster.aws is not None else ()),
            ]
        )
    )
    if cluster.is_http2:
        options.explicit_http_config = api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http2_protocol_options=api.core.Http2ProtocolOptions()
        )
    elif cluster.tls is not None:
        options.auto_config = api.upstream_http.HttpProtocolOptionsAutoHttpConfig(
            http_protocol_options=api.core.Http1ProtocolOptions(), http2_protocol_options=api.core.Http2ProtocolOptions()
        )
    else:
        options.explicit_http_config = api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http_protocol_options=api.core.Http1ProtocolOptions()
        )
    return options
