import pytest

from control_plane import ir
from control_plane.xds.cluster.load_balancing import lb_policy
from tests.kit import gateways


@pytest.mark.parametrize("policy", ir.LoadBalancing)
def test_every_policy_is_envoys(policy: ir.LoadBalancing) -> None:
    assert lb_policy(gateways.cluster("c", ir.Endpoint(host="10.0.0.1", port=80), load_balancing=policy)).name == policy.name
