"""Chains of preferences: who can come first, and who follows."""

from control_plane.config import load
from control_plane.gateway.models import provider_entries
from control_plane.gateway.preferences import ChainedPreference, build_preferences
from tests.kit.problems import TEST_ENV

HEAD = """
version: v0.4.0
listeners: [{type: model}]
model_metrics_sources: [{type: latency, provider: prometheus, url: "http://prometheus", query: x}]
model_providers:
  - {model: openai/a, access_key: $OPENAI_API_KEY, fallbacks: [openai/z]}
  - {model: openai/z, access_key: $OPENAI_API_KEY}
  - {model: openai/*, access_key: $OPENAI_API_KEY}
  - {model: groq/mine, passthrough_auth: true}
  - {model: groq/ours, passthrough_auth: true}
  - {model: groq/elsewhere, passthrough_auth: true, base_url: "https://groq.example"}
  - {model: chatgpt/c}
"""


def built(models: str, prefer: str = "none") -> ChainedPreference:
    preference = f"{{name: x y, description: d, models: [{models}], selection_policy: {{prefer: {prefer}}}}}"
    config = load(f"{HEAD}routing_preferences: [{preference}]", env=TEST_ENV).config
    entries = provider_entries(config.model_providers, config.overrides)
    return build_preferences(config.routing_preferences, entries, config.overrides)[0]


def tried(preference: ChainedPreference, api: str = "chat_completions") -> dict[str, str]:
    """By the model that comes first: the models of its chain."""
    return {
        start.entry.name: " ".join(member.model for member in start.chains[api].members)
        for start in preference.starts
        if api in start.chains
    }


def test_one_model_needs_no_chain_of_the_preference() -> None:
    assert built("openai/a").starts == ()


def test_each_model_can_come_first_and_its_own_fallbacks_last() -> None:
    assert tried(built("openai/b, openai/a")) == {
        "openai/a": "openai/a openai/b openai/z",
        "openai/b": "openai/b openai/a",
    }


def test_chains_grow_with_the_number_of_models_alone() -> None:
    models = ", ".join(f"openai/{letter}" for letter in "bcdefg")
    assert len(built(models, "fastest").starts) == 6


def test_a_clients_own_credentials_stay_at_one_provider_and_host() -> None:
    assert tried(built("openai/b, groq/mine, groq/ours, groq/elsewhere")) == {
        "groq/mine": "groq/mine groq/ours",
        "groq/ours": "groq/ours groq/mine",
    }


def test_names_are_stable_and_safe_in_a_header() -> None:
    names = {chain.name for start in built("openai/b, openai/c").starts for chain in start.chains.values()}
    assert "chain/(preference)/x%20y(openai/b,chat_completions)" in names
    assert {chain.partition("(openai")[0] for chain in names} == {"chain/(preference)/x%20y"}
    assert not any("embeddings" in name for name in names)
