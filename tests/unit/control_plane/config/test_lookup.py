"""Who a name means."""

from control_plane.config import load
from control_plane.config.lookup import ModelNames, agents_by_id, filters_by_id
from tests.kit.problems import TEST_ENV

CONFIG = """
version: v0.4.0
agents: [{id: a, url: "http://a:1"}]
filters: [{id: f, url: "http://f:1", type: http}]
model_providers:
  - {model: openai/gpt-4o, access_key: $ANY_API_KEY, name: big}
  - {model: mistral/gpt-4o, access_key: $ANY_API_KEY}
  - {model: groq/*, access_key: $ANY_API_KEY}
  - {model: openai/*, access_key: $ANY_API_KEY, name: prod}
listeners: [{type: agent, name: x, port: 8001, agents: [{id: a, description: d, input_filters: [f]}]}]
"""


def test_models() -> None:
    names = ModelNames(load(CONFIG, env=TEST_ENV).config)
    expected = {
        "openai/gpt-4o": "openai/gpt-4o",
        "big": "openai/gpt-4o",
        "gpt-4o": "openai/gpt-4o",
        "mistral/gpt-4o": "mistral/gpt-4o",
        "groq/anything": "groq/*",
        "openai/other": "openai/*",
        "prod/other": "openai/*",
    }
    found = {name: names.find(name) for name in (*expected, "gpt-5", "mistral/other", "groq/", "")}
    assert {name: entry.model for name, entry in found.items() if entry} == expected


def test_agents_and_filters_stand_in_for_each_other() -> None:
    config = load(CONFIG, env=TEST_ENV).config
    assert agents_by_id(config)["f"].url == "http://f:1"
    assert (filters_by_id(config)["a"].type, filters_by_id(config)["f"].type) == ("mcp", "http")
