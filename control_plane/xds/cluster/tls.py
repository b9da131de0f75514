"""TLS to upstreams, always verified against the name of the endpoint."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.address import is_ip

TLS_MATCH_NAMESPACE: Final = "envoy.transport_socket_match"
"""Envoy's namespace of an endpoint's metadata that `build_tls_matches` looks at."""

TLS_MATCH_KEY: Final = "host"


def has_many_names(cluster: ir.Cluster) -> bool:
    """Whether endpoints of a TLS cluster have different names."""
    return cluster.tls is not None and len({endpoint.host for endpoint in cluster.endpoints}) > 1


def build_tls_matches(cluster: ir.Cluster) -> list[api.cluster.ClusterTransportSocketMatch]:
    """Build a transport socket per name if there are several; the metadata of an endpoint selects one."""
    if cluster.tls is None or not has_many_names(cluster):
        return []
    return [
        api.cluster.ClusterTransportSocketMatch(
            name=host,
            match=api.protobuf.Struct.from_dict({TLS_MATCH_KEY: host}),
            transport_socket=build_tls_socket(replace(cluster.tls, sni=host)),
        )
        for host in sorted({endpoint.host for endpoint in cluster.endpoints})
    ]


def build_tls_socket(tls: ir.UpstreamTls, protocols: Iterable[str] = ("h2", "http/1.1")) -> api.core.TransportSocket:
    """Build a transport socket that accepts only the name `sni`; `protocols` are offered by ALPN."""
    validation = api.tls.CertificateValidationContext(
        trusted_ca=api.core.DataSource(filename=tls.ca_path), match_typed_subject_alt_names=[_subject(tls.sni)]
    )
    context = api.tls.UpstreamTlsContext(
        sni="" if is_ip(tls.sni) else tls.sni,
        common_tls_context=api.tls.CommonTlsContext(alpn_protocols=list(protocols), validation_context=validation),
    )
    return api.core.TransportSocket(name="envoy.transport_sockets.tls", typed_config=api.pack(context))


def _subject(name: str) -> api.tls.SubjectAltNameMatcher:
    kinds = api.tls.SubjectAltNameMatcherSanType
    return api.tls.SubjectAltNameMatcher(
        san_type=kinds.IP_ADDRESS if is_ip(name) else kinds.DNS, matcher=api.matcher.StringMatcher(exact=name)
    )
