from control_plane.config import load
from control_plane.gateway import build_gateway
from control_plane.reading import EXAMPLE_RUNTIME
from protos import filter_config_pb2 as pb

TEXT = b"""
version: v0.4.0
agents:
  - {id: z, url: "http://127.0.0.1:1"}
  - {id: a, url: "http://127.0.0.1:2"}
filters:
  - {id: guard, url: "http://127.0.0.1:3/p", type: http, passthrough_auth: true}
  - {id: tidy, url: "http://127.0.0.1:4", type: mcp, tool: t}
model_providers:
  - {model: openai/gpt-4o, access_key: $KEY, default: true}
listeners:
  - type: agent
    name: agents
    port: 8001
    agents:
      - {id: z, description: Z, input_filters: [tidy, guard]}
      - {id: a, description: A}
"""


def test_the_filter_config_has_what_ext_proc_needs() -> None:
    loaded = load(TEXT, env={"KEY": "sk-secret"}, file="plano_config.yaml")
    gateway = build_gateway(loaded.config, runtime=EXAMPLE_RUNTIME)
    config = gateway.filter_config
    assert config.egress_url == gateway.egress.url
    assert [(step.id, step.type, step.tool) for step in config.filters] == [
        ("guard", "http", "guard"),
        ("tidy", "mcp", "t"),
    ]
    assert config.filters[0].passthrough_auth
    agents = config.listeners[0]
    assert (agents.kind, [agent.id for agent in agents.agents]) == (pb.Listener.AGENT, ["z", "a"])
    assert list(agents.agents[0].input_filters) == ["tidy", "guard"]
    paths = {route.api: route.path for route in config.models[0].routes}
    assert paths["chat_completions"] == "/v1/chat/completions"
    assert b"sk-secret" not in config.SerializeToString()
