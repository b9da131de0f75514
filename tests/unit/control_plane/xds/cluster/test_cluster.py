import pytest

from control_plane import ir
from control_plane.xds import api
from control_plane.xds.cluster.cluster import build_cluster, is_eds
from control_plane.xds.cluster.endpoint import build_load_assignment
from control_plane.xds.render import to_yaml
from tests.kit import gateways

TLS = ir.UpstreamTls(sni="api.example.com", ca_path="/ca.pem")


def endpoints(*hosts: str) -> list[ir.Endpoint]:
    return [ir.Endpoint(host=host, port=443) for host in hosts]


def options(cluster: ir.Cluster) -> api.upstream_http.HttpProtocolOptions:
    (packed,) = build_cluster(cluster).typed_extension_protocol_options.values()
    return api.upstream_http.HttpProtocolOptions.parse(packed.value)


def dns(cluster: ir.Cluster) -> api.dns_cluster.DnsCluster:
    kind = build_cluster(cluster).cluster_type
    assert kind is not None
    assert kind.typed_config is not None
    return api.dns_cluster.DnsCluster.parse(kind.typed_config.value)


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [(["10.0.0.1"], True), (["::1", "10.0.0.1"], True), (["localhost"], False), (["10.0.0.1", "a.example"], False)],
)
def test_only_addresses_are_served_over_eds(hosts: list[str], expected: bool) -> None:
    cluster = gateways.cluster("c", *endpoints(*hosts))
    assert is_eds(cluster) is expected
    assert (build_cluster(cluster).eds_cluster_config is not None) is expected


def test_localhost_is_tried_on_both_families_in_one_endpoint() -> None:
    assert dns(gateways.cluster("c", *endpoints("localhost"))).all_addresses_in_single_endpoint
    assert not dns(gateways.cluster("c", *endpoints("a.example"))).all_addresses_in_single_endpoint


def test_every_endpoint_carries_the_host_header() -> None:
    text = to_yaml(build_load_assignment(gateways.cluster("c", *endpoints("10.0.0.2", "10.0.0.1"), host_header="up.example")))
    assert text.index("10.0.0.1") < text.index("10.0.0.2")
    assert text.count("hostname: up.example") == 2


def test_tls_is_verified_and_negotiates_http2() -> None:
    cluster = gateways.cluster("c", *endpoints("a.example"), tls=TLS)
    text = to_yaml(build_cluster(cluster))
    assert "sni: api.example.com" in text
    assert "exact: api.example.com" in text
    assert "filename: /ca.pem" in text
    assert options(cluster).auto_config is not None
    assert options(gateways.cluster("c", *endpoints("a.example"))).explicit_http_config is not None


def test_an_address_has_no_sni_but_is_verified() -> None:
    text = to_yaml(
        build_cluster(gateways.cluster("c", *endpoints("10.0.0.1"), tls=ir.UpstreamTls(sni="10.0.0.1", ca_path="/ca")))
    )
    assert "sni:" not in text
    assert "san_type: IP_ADDRESS" in text


def test_each_injected_header_is_an_upstream_filter_before_the_codec() -> None:
    injected = (gateways.injected("c", "x-two", "2"), gateways.injected("c", "x-one", "1"))
    filters = options(gateways.cluster("c", *endpoints("10.0.0.1"), injected_headers=injected)).http_filters
    assert [http_filter.name for http_filter in filters] == [
        "plano.credential.x-one",
        "plano.credential.x-two",
        "envoy.filters.http.upstream_codec",
    ]
    assert options(gateways.cluster("c", *endpoints("10.0.0.1"))).http_filters == []
