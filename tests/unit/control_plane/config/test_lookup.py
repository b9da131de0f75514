"""Who a name means."""

from control_plane.config import load
from control_plane.config.lookup import ModelNames
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
