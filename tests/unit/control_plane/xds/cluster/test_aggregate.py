from dataclasses import replace

import pytest

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import InconsistentGateway, address, api, translate
from control_plane.xds.cluster.aggregate import build_aggregate, targets
from control_plane.xds.cluster.attempts import build_attempts
from control_plane.xds.cluster.cluster import HTTP_OPTIONS, build_cluster
from control_plane.xds.views import render_view
from tests.kit import gateways

GATEWAY = gateways.gateway()
MODEL = names.model("openai/gpt-4o")
AGENT = names.agent("weather")
CLUSTERS = {known.name: known for known in GATEWAY.clusters}


def member(**changes: str) -> ir.ChainMember:
    values = {"cluster": MODEL, "model": "openai/gpt-4o", "api": "chat_completions"} | changes
    return ir.ChainMember(**values)  # type: ignore[arg-type]  # all of these fields are texts


def chained(*chains: ir.Chain) -> ir.Gateway:
    return replace(GATEWAY, chains=chains)


def filters(built: api.cluster.Cluster) -> list[str]:
    options = api.upstream_http.HttpProtocolOptions.parse(built.typed_extension_protocol_options[HTTP_OPTIONS].value)
    return [http_filter.name for http_filter in options.http_filters]


def members(built: api.cluster.Cluster) -> list[str]:
    assert built.cluster_type is not None
    assert built.cluster_type.typed_config is not None
    return api.aggregate.ClusterConfig.parse(built.cluster_type.typed_config.value).clusters


def test_members_are_in_order_and_once_each() -> None:
    weather, news = (ir.ChainMember(cluster=AGENT, agent="weather", api=api) for api in ("", "x"))
    built = build_aggregate(ir.Chain(name="c", members=(weather, news, weather)), CLUSTERS)
    assert members(built) == [f"target/{AGENT}", f"target/{AGENT}[x]"]


def test_attempts_at_models_pass_the_attempts_listener() -> None:
    built = build_attempts(ir.Chain(name="c", members=(member(), member(api="responses"))), longest_wait=5)
    assert built.load_assignment is not None
    [endpoint] = built.load_assignment.endpoints[0].lb_endpoints
    assert endpoint.endpoint is not None
    assert endpoint.endpoint.address == address.internal(names.ATTEMPTS_LISTENER)
    # Responses pass in reverse.
    history, veto = ["plano.attempt_history.request", "plano.attempt_history"], "plano.retry_after"
    assert filters(built) == [*history, veto, "envoy.filters.http.upstream_codec"]


def test_nothing_but_a_listener_asks_ext_proc() -> None:
    """Envoy crashes where ext_proc is an upstream filter."""
    made = translate(chained(ir.Chain(name="c", members=(member(), member(api="responses")))))
    kind = api.type_url(api.ext_proc.ExternalProcessor).encode()
    assert not any(kind in resource.value for resource in made.of(api.CLUSTER))
    asking = {resource.name for resource in made.of(api.LISTENER) if kind in resource.value}
    assert asking == {"listener/agents", "listener/models", names.ATTEMPTS_LISTENER}


def test_agents_are_sent_what_the_client_sent() -> None:
    chain = ir.Chain(name="c", members=(ir.ChainMember(cluster=AGENT, agent="weather"),))
    assert filters(build_aggregate(chain, CLUSTERS)) == []


def test_a_target_has_its_own_key_and_is_shared_by_chains() -> None:
    chains = (ir.Chain(name="c", members=(member(),)), ir.Chain(name="d", members=(member(), member(api="responses"))))
    first, second = targets(chained(*chains))
    assert (first.cluster.name, first.metadata) == (f"target/{MODEL}[chat_completions]", {})
    assert filters(build_cluster(first.cluster)) == ["plano.credential.authorization", "envoy.filters.http.upstream_codec"]
    assert second.cluster.name == f"target/{MODEL}[responses]"


def test_keys_are_in_secrets_alone() -> None:
    made = translate(chained(ir.Chain(name="c", members=(member(),))))
    for kind in (api.CLUSTER, api.ENDPOINT, api.LISTENER, api.ROUTE):
        assert not any(b"sk-gateway" in resource.value for resource in made.of(kind))
    shown = "".join(render_view(made, view) for view in ("clusters", "endpoints", "secrets", "filter", "routes", "listeners"))
    assert "sk-gateway" not in shown


@pytest.mark.parametrize(
    ("chain", "problem"),
    [
        (ir.Chain(name="c", members=(member(cluster="model/gone"),)), "chain 'c' refers to cluster 'model/gone'"),
    ],
)
def test_a_chain_leads_somewhere(chain: ir.Chain, problem: str) -> None:
    with pytest.raises(InconsistentGateway, match=problem):
        translate(chained(chain))
