from dataclasses import replace
from pathlib import Path

import pytest

from control_plane import ir
from control_plane.xds import api, translate
from control_plane.xds.cluster.circuit_breaker import build_chain_breakers, build_circuit_breakers
from control_plane.xds.cluster.cluster import build_cluster
from control_plane.xds.cluster.endpoint import build_load_assignment
from control_plane.xds.cluster.load_balancing import lb_policy
from control_plane.xds.cluster.outlier_detection import build_outlier_detection
from control_plane.xds.http_filters.retry_after import build_veto, longest_waits
from control_plane.xds.render import to_yaml
from control_plane.xds.route.retry import build_retry_policy
from control_plane.xds.route.route import build_hash_policy
from protos.contract.headers import OWN_FAULT_HEADER, RETRY_HEADER
from tests.kit import certificates, envoy, gateways


def endpoint(host: str = "10.0.0.1", **changes: object) -> ir.Endpoint:
    return ir.Endpoint(host=host, port=80, **changes)  # type: ignore[arg-type]


def test_retries_take_part_of_the_requests_unless_counted() -> None:
    [budget] = build_circuit_breakers(ir.CircuitBreaker(retry_budget_percent=30)).thresholds
    assert budget.retry_budget is not None
    assert budget.retry_budget.budget_percent == api.type_v3.Percent(value=30)
    [counted] = build_circuit_breakers(ir.CircuitBreaker(max_retries=7)).thresholds
    assert (counted.max_retries, counted.retry_budget) == (7, None)


@pytest.mark.parametrize(("requests", "percent", "retries"), [(50, 20, 10), (10, 20, 3), (10_000, 50, 5000)])
def test_the_budget_of_a_chain_is_a_number_for_its_requests_count_elsewhere(
    requests: int, percent: float, retries: int
) -> None:
    [limits] = build_chain_breakers(ir.CircuitBreaker(max_requests=requests, retry_budget_percent=percent)).thresholds
    assert (limits.max_retries, limits.retry_budget) == (retries, None)


def test_silence_counts_as_an_error() -> None:
    built = build_outlier_detection(ir.OutlierDetection(consecutive_errors=5, ejection_seconds=10, max_ejection_percent=50))
    assert (built.consecutive_5xx, built.consecutive_gateway_failure) == (5, 5)
    assert built.split_external_local_origin_errors is False
    assert built.max_ejection_time == built.base_ejection_time == api.duration(10)


@pytest.mark.parametrize("policy", ir.LoadBalancing)
def test_every_policy_is_envoys(policy: ir.LoadBalancing) -> None:
    assert lb_policy(gateways.cluster("c", endpoint(), load_balancing=policy)).name == policy.name


def test_a_hash_needs_a_header() -> None:
    assert build_hash_policy("") == []
    [policy] = build_hash_policy("x-session")
    assert policy.header is not None
    assert policy.header.header_name == "x-session"


def test_instances_have_weights_hosts_and_canaries() -> None:
    endpoints = (endpoint("10.0.0.1", weight=3), endpoint("10.0.0.2", is_canary=True, host_header="own.example"))
    text = to_yaml(build_load_assignment(gateways.cluster("c", *endpoints)))
    assert "load_balancing_weight: 3" in text
    assert "hostname: own.example" in text
    assert text.count("canary: true") == 1


def test_instances_that_prove_different_names_have_sockets_of_their_own() -> None:
    tls = ir.UpstreamTls(sni="a.example", ca_path="/ca")
    many = gateways.cluster("c", endpoint("a.example"), endpoint("b.example"), tls=tls)
    matches = build_cluster(many).transport_socket_matches
    assert [match.name for match in matches] == ["a.example", "b.example"]
    assert to_yaml(build_load_assignment(many)).count("envoy.transport_socket_match") == 2
    assert build_cluster(gateways.cluster("c", endpoint("a.example"), tls=tls)).transport_socket_matches == []


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


def test_waits_are_for_those_who_honour_them() -> None:
    gateway = gateways.gateway()
    impatient = replace(gateways.RETRY, honours_retry_after=False)
    listeners = tuple(
        replace(listener, routes=tuple(replace(route, retry=impatient) for route in listener.routes))
        for listener in gateway.listeners
    )
    silent = replace(gateway, listeners=listeners, egress=replace(gateway.egress, routes=()))
    assert longest_waits(silent) == {}
    assert longest_waits(gateway) == {"agent/weather": 1, "model/openai/gpt-4o": 1}
    assert build_retry_policy(listeners[0].routes[0]).rate_limited_retry_back_off is None
    assert build_veto(None) == []
    [veto] = build_veto(5)
    assert veto.name == "plano.retry_after"


def test_envoy_takes_everything_at_once(tmp_path: Path) -> None:
    gateway = gateways.gateway()
    agent, model = gateway.clusters
    protected = {
        "outlier_detection": ir.OutlierDetection(consecutive_errors=5, ejection_seconds=10, max_ejection_percent=50),
        "health_check": ir.HealthCheck(path="/healthz", interval_seconds=5),
        "load_balancing": ir.LoadBalancing.RING_HASH,
    }
    endpoints = (endpoint("a.example", weight=3), endpoint("b.example", is_canary=True))
    tls = ir.UpstreamTls(sni="a.example", ca_path=str(certificates.issue(tmp_path, "a.example").ca))
    chains = (
        ir.Chain(name="chain/m", members=(ir.ChainMember(cluster=model.name, model="openai/gpt-4o", api="chat_completions"),)),
        ir.Chain(name="chain/a", members=(ir.ChainMember(cluster=agent.name, agent="weather"),)),
    )
    changed = replace(agent, endpoints=endpoints, tls=tls, **protected)  # type: ignore[arg-type]
    made = translate(replace(gateway, clusters=(changed, replace(model, **protected)), chains=chains))  # type: ignore[arg-type]
    envoy.validate(made, tmp_path)
