from dataclasses import replace

from control_plane import ir
from control_plane.xds.route.retry import build_retry_policy
from protos.contract.headers import OWN_FAULT_HEADER, RETRY_HEADER
from tests.kit import gateways


def test_a_chain_goes_on_and_an_instance_is_avoided() -> None:
    route = gateways.route("agent/a")
    assert build_retry_policy(route).retry_priority is None
    assert len(build_retry_policy(route).retry_host_predicate) == 1
    agents = ir.Chain(name="c", members=(ir.ChainMember(cluster="agent/a", agent="a"),))
    assert build_retry_policy(route, agents).retry_priority is not None
    # The attempt stage chooses where attempts at models go.
    policy = build_retry_policy(route, ir.Chain(name="c", members=()))
    assert (policy.retry_priority, policy.retry_host_predicate) == (None, [])
    assert policy.retry_on.endswith(",retriable-headers")
    assert [header.name for header in policy.retriable_headers] == [RETRY_HEADER, OWN_FAULT_HEADER]
    strict = replace(route, retry=replace(route.retry, on_own_fault=False))
    assert [header.name for header in build_retry_policy(strict, ir.Chain(name="c", members=())).retriable_headers] == [
        RETRY_HEADER
    ]
