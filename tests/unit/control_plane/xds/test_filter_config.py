from dataclasses import replace

from control_plane import ir
from control_plane.xds.filter_config import build_filter_config, serialize
from protos import filter_config_pb2 as pb
from tests.kit import gateways

GUARD = ir.Filter(
    id="guard", type=ir.FilterType.HTTP, route="filter/guard", tool="", path="/p", passthrough_auth=True, timeout_seconds=2.5
)
GATEWAY = replace(
    gateways.gateway(),
    filters=(GUARD, replace(GUARD, id="a", type=ir.FilterType.MCP, tool="t")),
    orchestrator=ir.Orchestrator(model="openai/gpt-4o", timeout_seconds=5, context_length=100),
)


def test_everything_ext_proc_needs_is_there() -> None:
    config = build_filter_config(GATEWAY, version="v1")
    assert config.version == "v1"
    assert config.egress_url == GATEWAY.egress.url
    assert [(step.id, step.type, step.tool) for step in config.filters] == [
        ("a", pb.Filter.MCP, "t"),
        ("guard", pb.Filter.HTTP, ""),
    ]
    assert (config.filters[1].passthrough_auth, config.filters[1].timeout_seconds) == (True, 2.5)
    assert (config.orchestrator.model, config.orchestrator.context_length) == ("openai/gpt-4o", 100)
    assert config.listeners[0].kind == pb.Listener.AGENT
    assert config.models[0].routes[0].path == "/v1/chat/completions"


def test_agents_keep_their_declared_order() -> None:
    plan = GATEWAY.plans[0]
    (weather,) = plan.agents
    agents = tuple(replace(weather, id=name) for name in ("z", "a", "m"))
    config = build_filter_config(replace(GATEWAY, plans=(replace(plan, agents=agents),)))
    assert [agent.id for agent in config.listeners[0].agents] == ["z", "a", "m"]


def test_the_bytes_are_read_back() -> None:
    config = build_filter_config(GATEWAY)
    assert pb.FilterConfig.FromString(serialize(config)) == config
