from control_plane import ir
from control_plane.xds.cluster.endpoint import build_load_assignment
from control_plane.xds.render import to_yaml
from tests.kit import gateways


def test_instances_have_weights_hosts_and_canaries() -> None:
    endpoints = (
        ir.Endpoint(host="10.0.0.1", port=80, weight=3),
        ir.Endpoint(host="10.0.0.2", port=80, is_canary=True, host_header="own.example"),
    )
    text = to_yaml(build_load_assignment(gateways.cluster("c", *endpoints)))
    assert "load_balancing_weight: 3" in text
    assert "hostname: own.example" in text
    assert text.count("canary: true") == 1
