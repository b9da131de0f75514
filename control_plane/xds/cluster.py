"""ir.Cluster -> Envoy Cluster: how an upstream is found, reached, protected and authenticated to."""

from control_plane.ir import model as ir
from control_plane.xds import api
from control_plane.xds.address import is_ip
from control_plane.xds.endpoint import build_load_assignment

_CONCURRENT = 10_000
"""Connections, requests, retries at a time. Envoy's defaults (1,024, and 3 retries) refuse what one core can carry."""


def is_eds(cluster: ir.Cluster) -> bool:
    """Whether every endpoint is an IP address, so that endpoints can change without a new cluster."""
    return all(is_ip(endpoint.host) for endpoint in cluster.endpoints)


def build_cluster(cluster: ir.Cluster) -> api.cluster.Cluster:
    """Build the cluster; its endpoints are served apart if `is_eds`."""
    built = api.cluster.Cluster(
        name=cluster.name,
        connect_timeout=api.duration(cluster.connect_timeout_seconds),
        lb_policy=api.cluster.ClusterLbPolicy.LEAST_REQUEST,
        circuit_breakers=_circuit_breakers(),
        upstream_connection_options=api.cluster.UpstreamConnectionOptions(
            tcp_keepalive=api.core.TcpKeepalive(keepalive_probes=3, keepalive_time=60, keepalive_interval=10)
        ),
        typed_extension_protocol_options={
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": api.pack(_protocol(cluster)),
        },
    )
    if cluster.tls is not None:
        built.transport_socket = _tls_socket(cluster.tls)
    _locate(built, cluster)
    return built


def _locate(built: api.cluster.Cluster, cluster: ir.Cluster) -> None:
    if is_eds(cluster):
        built.type = api.cluster.ClusterDiscoveryType.EDS
        built.eds_cluster_config = api.cluster.ClusterEdsClusterConfig(eds_config=api.ads())
        return
    built.load_assignment = build_load_assignment(cluster)
    built.cluster_type = api.cluster.ClusterCustomClusterType(name="envoy.cluster.dns", typed_config=api.pack(_dns(cluster)))


def _dns(cluster: ir.Cluster) -> api.dns_cluster.DnsCluster:
    # `localhost` is 127.0.0.1 and ::1, and a server may listen on one of them alone: try both for each connection.
    # Elsewhere each address is an endpoint of its own, so that load is balanced and a retry can avoid the one that failed.
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


def _circuit_breakers() -> api.cluster.CircuitBreakers:
    return api.cluster.CircuitBreakers(
        thresholds=[
            api.cluster.CircuitBreakersThresholds(
                max_connections=_CONCURRENT,
                max_pending_requests=_CONCURRENT,
                max_requests=_CONCURRENT,
                max_retries=_CONCURRENT,
            )
        ]
    )


def _protocol(cluster: ir.Cluster) -> api.upstream_http.HttpProtocolOptions:
    options = api.upstream_http.HttpProtocolOptions(http_filters=_http_filters(cluster))
    if cluster.tls is not None:
        options.auto_config = api.upstream_http.HttpProtocolOptionsAutoHttpConfig(
            http_protocol_options=api.core.Http1ProtocolOptions(), http2_protocol_options=api.core.Http2ProtocolOptions()
        )
    else:
        options.explicit_http_config = api.upstream_http.HttpProtocolOptionsExplicitHttpConfig(
            http_protocol_options=api.core.Http1ProtocolOptions()
        )
    return options


def _http_filters(cluster: ir.Cluster) -> list[api.hcm.HttpFilter]:
    """Return the upstream http_filters: they run once per attempt. None at all where there is nothing to inject."""
    if not cluster.injected_headers:
        return []
    ordered = sorted(cluster.injected_headers, key=lambda injected: injected.header)
    codec = api.hcm.HttpFilter(
        name="envoy.filters.http.upstream_codec", typed_config=api.pack(api.upstream_codec.UpstreamCodec())
    )
    return [*map(_credential_injector, ordered), codec]


def _credential_injector(injected: ir.InjectedHeader) -> api.hcm.HttpFilter:
    credential = api.generic_credential.Generic(
        credential=api.tls.SdsSecretConfig(name=injected.secret_name, sds_config=api.ads()), header=injected.header
    )
    injector = api.credential_injector.CredentialInjector(
        overwrite=True, credential=api.extension("envoy.http.injected_credentials.generic", credential)
    )
    return api.hcm.HttpFilter(name=f"plano.credential.{injected.header}", typed_config=api.pack(injector))


def _tls_socket(tls: ir.UpstreamTls) -> api.core.TransportSocket:
    validation = api.tls.CertificateValidationContext(
        trusted_ca=api.core.DataSource(filename=tls.ca_path), match_typed_subject_alt_names=[_subject(tls.sni)]
    )
    context = api.tls.UpstreamTlsContext(
        sni="" if is_ip(tls.sni) else tls.sni,
        common_tls_context=api.tls.CommonTlsContext(alpn_protocols=["h2", "http/1.1"], validation_context=validation),
    )
    return api.core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=api.pack(context))


def _subject(name: str) -> api.tls.SubjectAltNameMatcher:
    kinds = api.tls.SubjectAltNameMatcherSanType
    return api.tls.SubjectAltNameMatcher(
        san_type=kinds.IP_ADDRESS if is_ip(name) else kinds.DNS, matcher=api.matcher.StringMatcher(exact=name)
    )
