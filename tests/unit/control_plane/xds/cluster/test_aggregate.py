from dataclasses import replace

import pytest

from control_plane import ir
from control_plane.ir import names
from control_plane.xds import InconsistentGateway, api, translate
from control_plane.xds.cluster.aggregate import build_chain, targets
from control_plane.xds.cluster.cluster import HTTP_OPTIONS
from control_plane.xds.views import render_view
from protos.contract.metadata import METADATA_NAMESPACE
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
    built = build_chain(ir.Chain(name="c", members=(weather, news, weather)), CLUSTERS)
    assert members(built) == [f"target/{AGENT}", f"target/{AGENT}[x]"]


def test_a_chain_of_models_goes_on_from_one_place() -> None:
    built = build_chain(ir.Chain(name="c", members=(member(), member(api="responses"))), CLUSTERS)
    assert members(built) == [f"target/{MODEL}[chat_completions]", names.FAILOVER]
    anyone = build_chain(ir.Chain(name="c", members=()), CLUSTERS)
    assert (members(anyone), filters(anyone)[0]) == ([names.FAILOVER], "plano.attempt")
    alone = build_chain(ir.Chain(name="c", members=(member(),)), CLUSTERS)
    assert members(alone) == [f"target/{MODEL}[chat_completions]"]


def test_attempts_at_models_are_edited_and_get_keys() -> None:
    chain = ir.Chain(name="c", members=(member(),))
    codec = "envoy.filters.http.upstream_codec"
    assert filters(build_chain(chain, CLUSTERS)) == [
        "plano.attempt",
        "plano.member",
        f"plano.credential.authorization of {MODEL}",
        "plano.member.end",
        codec,
    ]
    # Responses pass in reverse.
    assert filters(build_chain(chain, CLUSTERS, longest_wait=5))[:2] == ["plano.retry_after", "plano.attempt"]


def test_agents_are_sent_what_the_client_sent() -> None:
    assert filters(build_chain(ir.Chain(name="c", members=(ir.ChainMember(cluster=AGENT, agent="weather"),)), CLUSTERS)) == []


def test_a_target_says_what_it_is_and_is_shared_by_chains() -> None:
    chains = (ir.Chain(name="c", members=(member(),)), ir.Chain(name="d", members=(member(), member(api="responses"))))
    first, second = targets(chained(*chains))
    assert first.metadata == {
        METADATA_NAMESPACE: {"model": "openai/gpt-4o", "api": "chat_completions", "member": MODEL},
    }
    assert first.cluster.name == f"target/{MODEL}[chat_completions]"
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
