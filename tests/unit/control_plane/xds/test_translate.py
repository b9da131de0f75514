from dataclasses import replace
from pathlib import Path

import pytest

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import InconsistentGateway, Resources, api, translate
from control_plane.xds.render import resource_to_yaml
from control_plane.xds.resources import DuplicateResource
from protos import filter_config_pb2
from protos import filter_config_pb2 as pb
from protos.contract.discovery import FILTER_CONFIG_NAME, FILTER_CONFIG_TYPE_URL
from tests.kit import certificates, envoy, gateways

GATEWAY = gateways.gateway()


def filter_config(resources: Resources) -> filter_config_pb2.FilterConfig:
    (resource,) = resources.of(FILTER_CONFIG_TYPE_URL)
    return filter_config_pb2.FilterConfig.FromString(resource.value)


def test_every_type_is_there() -> None:
    resources = translate(GATEWAY)
    assert resources.names(api.CLUSTER) == resources.names(api.ENDPOINT) == {"agent/weather", "model/openai/gpt-4o"}
    listeners = {"listener/agents", "listener/models", names.EGRESS_LISTENER, names.ATTEMPTS_LISTENER}
    assert resources.names(api.LISTENER) == resources.names(api.ROUTE) == listeners
    assert resources.names(api.SECRET) == {"secret/model/openai/gpt-4o/authorization"}
    assert resources.names(FILTER_CONFIG_TYPE_URL) == {FILTER_CONFIG_NAME}


def test_the_order_of_the_input_does_not_matter() -> None:
    shuffled = replace(
        GATEWAY,
        listeners=GATEWAY.listeners[::-1],
        clusters=GATEWAY.clusters[::-1],
        egress=replace(GATEWAY.egress, routes=GATEWAY.egress.routes[::-1]),
    )
    assert translate(shuffled) == translate(GATEWAY)


def test_filter_config_carries_the_version_of_everything() -> None:
    resources = translate(GATEWAY)
    assert filter_config(resources).version == resources.version
    other = translate(replace(GATEWAY, max_request_bytes=5))
    assert filter_config(other).version == other.version != resources.version


def test_a_change_of_one_cluster_changes_no_other_resource() -> None:
    agent, model = GATEWAY.clusters
    other = translate(replace(GATEWAY, clusters=(replace(agent, connect_timeout_seconds=9), model)))
    before = translate(GATEWAY)
    changed = {
        (url, now.name)
        for (url, resources), (_, earlier) in zip(other.by_type, before.by_type, strict=True)
        for now, then in zip(resources, earlier, strict=True)
        if now != then
    }
    assert changed == {(api.CLUSTER, "agent/weather"), (FILTER_CONFIG_TYPE_URL, FILTER_CONFIG_NAME)}


def test_two_clusters_of_one_name_are_refused() -> None:
    with pytest.raises(DuplicateResource):
        translate(replace(GATEWAY, clusters=(*GATEWAY.clusters, GATEWAY.clusters[0])))


def test_filter_config_holds_what_the_gateway_says() -> None:
    config = filter_config(translate(GATEWAY))
    assert [(listener.name, [agent.id for agent in listener.agents]) for listener in config.listeners] == [
        ("agents", ["weather"]),
        ("models", []),
    ]
    assert config.aliases[0].model == config.models[0].name == "openai/gpt-4o"
    assert not config.HasField("orchestrator")


def test_secrets_are_only_in_secrets() -> None:
    resources = translate(GATEWAY)
    holders = {url for url, found in resources.by_type for resource in found if b"sk-gateway" in resource.value}
    assert holders == {api.SECRET}


def test_no_rendering_shows_a_secret() -> None:
    resources = translate(GATEWAY)
    texts = [resource_to_yaml(url, resource.value) for url, found in resources.by_type for resource in found]
    assert not any("sk-gateway" in text for text in texts)
    assert any("[redacted]" in text for text in texts)


def break_names(config: pb.FilterConfig) -> None:
    config.aliases[0].model = "nothing"
    del config.listeners[1:]


def test_a_name_that_leads_nowhere_is_a_bug_of_the_builder() -> None:
    with pytest.raises(InconsistentGateway) as caught:
        translate(replace(gateways.reconfigured(GATEWAY, break_names), clusters=GATEWAY.clusters[:1]))
    assert set(caught.value.problems) == {
        "listener 'models' refers to cluster 'model/openai/gpt-4o', which does not exist",
        "the egress listener refers to cluster 'model/openai/gpt-4o', which does not exist",
        "the gateway refers to plan of listener 'models', which does not exist",
        "an alias refers to model 'nothing', which does not exist",
    }


def test_envoy_takes_everything_at_once(tmp_path: Path) -> None:
    gateway = gateways.gateway()
    agent, model = gateway.clusters
    protected = {
        "outlier_detection": ir.OutlierDetection(consecutive_errors=5, ejection_seconds=10, max_ejection_percent=50),
        "health_check": ir.HealthCheck(path="/healthz", interval_seconds=5),
        "load_balancing": ir.LoadBalancing.RING_HASH,
    }
    endpoints = (ir.Endpoint(host="a.example", port=80, weight=3), ir.Endpoint(host="b.example", port=80, is_canary=True))
    tls = ir.UpstreamTls(sni="a.example", ca_path=str(certificates.issue(tmp_path, "a.example").ca))
    chains = (
        ir.Chain(name="chain/m", members=(ir.ChainMember(cluster=model.name, model="openai/gpt-4o", api="chat_completions"),)),
        ir.Chain(name="chain/a", members=(ir.ChainMember(cluster=agent.name, agent="weather"),)),
    )
    changed = replace(agent, endpoints=endpoints, tls=tls, **protected)  # type: ignore[arg-type]
    made = translate(replace(gateway, clusters=(changed, replace(model, **protected)), chains=chains))  # type: ignore[arg-type]
    envoy.validate(made, tmp_path)
