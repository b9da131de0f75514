"""Chains of preferences: which orders have one, and who is in it."""

import pytest

from control_plane.build.models import provider_entries
from control_plane.build.preferences import OrderedPreference, build_preferences
from control_plane.config import load
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
  - {model: chatgpt/c}
"""


def built(models: str, prefer: str = "none") -> OrderedPreference:
    preference = f"{{name: x y, description: d, models: [{models}], selection_policy: {{prefer: {prefer}}}}}"
    config = load(f"{HEAD}routing_preferences: [{preference}]", env=TEST_ENV).config
    entries = provider_entries(config.model_providers, config.overrides)
    return build_preferences(config.routing_preferences, entries, config.overrides)[0]


def tried(preference: OrderedPreference, api: str = "chat_completions") -> dict[str, str]:
    """By what an order begins with: the models of its chain."""
    return {
        ">".join(order.leading): " ".join(member.model for member in order.chains[api].members)
        for order in preference.orders
        if api in order.chains
    }


def test_one_model_needs_no_chain_of_the_preference() -> None:
    assert built("openai/a").orders == ()


def test_each_model_can_come_first_and_its_own_fallbacks_last() -> None:
    assert tried(built("openai/b, openai/a")) == {
        "openai/a": "openai/a openai/b openai/z",
        "openai/b": "openai/b openai/a",
    }


def test_ranked_models_have_a_chain_for_each_pair() -> None:
    assert tried(built("openai/b, openai/c, openai/d", "fastest")) == {
        "openai/b>openai/c": "openai/b openai/c openai/d",
        "openai/b>openai/d": "openai/b openai/d openai/c",
        "openai/c>openai/b": "openai/c openai/b openai/d",
        "openai/c>openai/d": "openai/c openai/d openai/b",
        "openai/d>openai/b": "openai/d openai/b openai/c",
        "openai/d>openai/c": "openai/d openai/c openai/b",
    }


@pytest.mark.parametrize(("count", "orders"), [(2, 2), (4, 12), (5, 20), (6, 6)])
def test_orders_stay_few(count: int, orders: int) -> None:
    models = ", ".join(f"openai/{letter}" for letter in "bcdefg"[:count])
    assert len(built(models, "fastest").orders) == orders


def test_a_clients_own_credentials_stay_at_one_provider() -> None:
    assert tried(built("openai/b, groq/mine, groq/ours")) == {
        "groq/mine": "groq/mine groq/ours",
        "groq/ours": "groq/ours groq/mine",
    }


def test_names_are_stable_and_safe_in_a_header() -> None:
    names = {chain.name for order in built("openai/b, openai/c").orders for chain in order.chains.values()}
    assert "chain/(preference)/x%20y(openai/b,chat_completions)" in names
    assert {chain.partition("(openai")[0] for chain in names} == {"chain/(preference)/x%20y"}
    assert not any("embeddings" in name for name in names)
