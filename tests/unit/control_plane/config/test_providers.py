"""The catalogue of providers, and where a request for each goes."""

from typing import get_args

import pytest

from control_plane.config.model.providers import ProviderInterface
from control_plane.config.providers import PROVIDERS, Auth, find_provider, resolve_provider, upstream_path


@pytest.mark.parametrize(
    ("name", "api", "base_url_path", "expected"),
    [
        ("openai", "chat_completions", "", "/v1/chat/completions"),
        ("openai", "responses", "", "/v1/responses"),
        ("openai", "chat_completions", "/", "/v1/chat/completions"),
        ("openai", "chat_completions", "/proxy/v2/", "/proxy/v2/chat/completions"),
        ("anthropic", "messages", "", "/v1/messages"),
        ("anthropic", "chat_completions", "", "/v1/chat/completions"),
        ("groq", "chat_completions", "", "/openai/v1/chat/completions"),
        ("groq", "chat_completions", "/openai/v1", "/openai/v1/chat/completions"),
        ("groq", "chat_completions", "/api/v2", "/api/v2/v1/chat/completions"),
        ("google", "chat_completions", "", "/v1beta/openai/chat/completions"),
        ("gemini", "chat_completions", "/v1beta", "/v1beta/openai/chat/completions"),
        ("zhipu", "chat_completions", "", "/api/paas/v4/chat/completions"),
        ("zhipu", "chat_completions", "/api/coding/paas/v4", "/api/coding/paas/v4/chat/completions"),
        ("qwen", "chat_completions", "/", "/compatible-mode/v1/chat/completions"),
        ("openrouter", "chat_completions", "/api/v1", "/api/v1/chat/completions"),
        ("edenai", "chat_completions", "", "/v3/chat/completions"),
        ("vercel", "messages", "", "/v1/messages"),
        ("openrouter", "messages", "", "/api/v1/messages"),
        ("anthropic", "count_tokens", "", "/v1/messages/count_tokens"),
        ("anthropic", "count_tokens", "/proxy", "/proxy/messages/count_tokens"),
        ("openai", "embeddings", "", "/v1/embeddings"),
        ("openai", "completions", "/proxy/v2", "/proxy/v2/completions"),
        ("gemini", "embeddings", "", "/v1beta/openai/embeddings"),
        ("mistral", "embeddings", "", "/v1/embeddings"),
        ("ollama", "completions", "", "/v1/completions"),
        ("chatgpt", "responses", "", "/backend-api/codex/responses"),
        ("amazon", "converse", "", "/model/{model}/converse"),
        ("amazon_bedrock", "converse", "/proxy/", "/proxy/model/{model}/converse"),
        ("moonshotai", "chat_completions", "/coding/v1", "/coding/v1/chat/completions"),
        (
            "azure_openai",
            "chat_completions",
            "",
            "/openai/deployments/{model}/chat/completions?api-version=2025-01-01-preview",
        ),
        (
            "azure_openai",
            "chat_completions",
            "/custom/azure/path",
            "/custom/azure/path/{model}/chat/completions?api-version=2025-01-01-preview",
        ),
    ],
)
def test_upstream_path(name: str, api: str, base_url_path: str, expected: str) -> None:
    provider = find_provider(name)
    assert provider is not None
    assert upstream_path(provider, api, base_url_path) == expected


def test_an_api_may_have_another_path_for_streams() -> None:
    bedrock, openai = find_provider("amazon_bedrock"), find_provider("openai")
    assert bedrock is not None
    assert openai is not None
    assert upstream_path(bedrock, "converse", "/proxy", is_stream=True) == "/proxy/model/{model}/converse-stream"
    assert upstream_path(openai, "responses", is_stream=True) == upstream_path(openai, "responses")


def test_a_provider_of_ones_own_shares_the_interface_that_it_names() -> None:
    assert resolve_provider("custom/model", "openai") == find_provider("openai")
    for interface in get_args(ProviderInterface):
        assert resolve_provider("custom/model", interface) == find_provider(interface) is not None
    assert resolve_provider("custom/model") is None
    assert resolve_provider("openai/gpt-4o", "groq") == find_provider("openai")


def test_perplexity_has_no_version_in_its_path() -> None:
    provider = resolve_provider("perplexity/sonar", "openai")
    assert provider is not None
    assert upstream_path(provider, "chat_completions") == "/chat/completions"


def test_keys_are_sent_as_each_api_expects() -> None:
    anthropic, azure = find_provider("anthropic"), find_provider("azure_openai")
    assert anthropic is not None
    assert azure is not None
    assert anthropic.apis["messages"].auth is Auth.X_API_KEY
    assert anthropic.apis["messages"].default_headers == (("anthropic-version", "2023-06-01"),)
    assert anthropic.apis["chat_completions"].auth is Auth.BEARER
    assert azure.apis["chat_completions"].auth is Auth.API_KEY


def test_names_are_unique() -> None:
    names = [name for provider in PROVIDERS for name in (provider.id, *provider.aliases)]
    assert len(names) == len(set(names))


def test_providers_that_plano_reaches_only_by_base_url_have_hosts() -> None:
    for name in ("vercel", "openrouter", "edenai"):
        provider = find_provider(name)
        assert provider is not None
        assert provider.base_url is not None
