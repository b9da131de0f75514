from control_plane import ir
from control_plane.xds.cluster.cluster import build_cluster
from control_plane.xds.cluster.endpoint import build_load_assignment
from control_plane.xds.render import to_yaml
from tests.kit import gateways


def test_instances_that_prove_different_names_have_sockets_of_their_own() -> None:
    tls = ir.UpstreamTls(sni="a.example", ca_path="/ca")
    many = gateways.cluster("c", ir.Endpoint(host="a.example", port=80), ir.Endpoint(host="b.example", port=80), tls=tls)
    matches = build_cluster(many).transport_socket_matches
    assert [match.name for match in matches] == ["a.example", "b.example"]
    assert to_yaml(build_load_assignment(many)).count("envoy.transport_socket_match") == 2
    assert build_cluster(gateways.cluster("c", ir.Endpoint(host="a.example", port=80), tls=tls)).transport_socket_matches == []
