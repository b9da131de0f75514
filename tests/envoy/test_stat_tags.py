"""Names with dots in Envoy's metrics: they are labels, and no part of a metric's name."""

import re
from dataclasses import replace

import pytest
from prometheus_client.parser import text_string_to_metric_families

from control_plane import ir
from protos import filter_config_pb2 as pb
from tests.kit import gateways
from tests.kit.decider import to_route
from tests.kit.lab import lab
from tests.kit.stub_upstream import Answer, always

pytestmark = pytest.mark.xdist_group("envoy-stat-tags")

CLUSTER = "model/openai/gpt-4.1(messages)"
LISTENER = "models.v2"


def with_dots(gateway: ir.Gateway) -> ir.Gateway:
    agents, models = gateway.listeners
    dotted = gateways.cluster(
        CLUSTER,
        *gateway.clusters[0].endpoints,
        injected_headers=(gateways.injected(CLUSTER, "x-key", "secret"),),
        outlier_detection=ir.OutlierDetection(consecutive_errors=5, ejection_seconds=10, max_ejection_percent=50),
    )
    listeners = (replace(agents, routes=(replace(agents.routes[0], cluster=CLUSTER),)), replace(models, name=LISTENER))

    def rename(config: pb.FilterConfig) -> None:
        for listener in config.listeners:
            listener.name = LISTENER if listener.name == models.name else listener.name

    return gateways.reconfigured(replace(gateway, clusters=(*gateway.clusters, dotted), listeners=listeners), rename)


async def test_names_with_dots_are_labels() -> None:
    async with lab(lambda _asked: to_route("agent/weather", agent="weather"), always(Answer()), change=with_dots) as made:
        assert (await made.agents.post("/", json={})).status_code == 200
        text = (await made.envoy.admin.get("/stats", params={"format": "prometheus"})).text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert [sample.name for sample in samples if re.search(r"gpt|models|messages", sample.name)] == []
    found = {(sample.name, *sample.labels.items()): sample.value for sample in samples}
    cluster = ("envoy_cluster_name", CLUSTER)
    assert found["envoy_cluster_upstream_rq_total", cluster] == 1
    assert found["envoy_cluster_circuit_breakers_default_rq_open", cluster] == 0
    assert found["envoy_cluster_outlier_detection_ejections_active", cluster] == 0
    assert found["envoy_cluster_credential_injector_injected_total", cluster] == 1
    assert found["envoy_http_downstream_rq_total", ("envoy_http_conn_manager_prefix", f"listener/{LISTENER}")] == 0
    assert found["envoy_listener_downstream_cx_total", ("envoy_listener_address", f"listener/{LISTENER}")] == 0
    codes = [sample.labels for sample in samples if sample.name == "envoy_cluster_upstream_rq_total" and sample.value]
    assert {"envoy_cluster_name": CLUSTER, "envoy_response_code": "200"} in codes
