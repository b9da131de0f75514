"""Which models are tried one after another, for which client API, and as what."""

from collections.abc import Mapping, Sequence

import pytest

from control_plane import ir
from control_plane.config import load
from control_plane.config.model import Listener, ModelProvider, PlanoConfig, Resilience
from control_plane.config.providers import Api, Provider
from control_plane.gateway import aliases
from control_plane.gateway.aliases import build_shared_aliases
from control_plane.gateway.chains import build_chain_routes, build_chains, chained_models, served_apis, upstream_api
from control_plane.gateway.models import ProviderEntry, build_chain_choices, find_entry, provider_entries
from control_plane.gateway.retries import agent_failover, chain_retries
from protos import filter_config_pb2 as pb
from tests.kit.problems import TEST_ENV

HEAD = """
version: v0.4.0
listeners: [{type: model}]
model_providers:
  - {model: openai/gpt-4o, access_key: $OPENAI_API_KEY, name: big, fallbacks: [claude, mistral/small]}
  - {model: anthropic/claude-sonnet-4-5, access_key: $ANTHROPIC_API_KEY, name: claude}
  - {model: mistral/*, access_key: $MISTRAL_API_KEY}
  - {model: chatgpt/gpt-5}
"""


def parse(more: str = "") -> PlanoConfig:
    return load(HEAD + more, env=TEST_ENV).config


def entries(config: PlanoConfig) -> tuple[ProviderEntry, ...]:
    return provider_entries(config.model_providers, config.overrides)


def entry(known: tuple[ProviderEntry, ...], name: str) -> ProviderEntry:
    found = find_entry(known, name)
    assert found is not None
    return found


def made(primary: str, *fallbacks: str) -> dict[str, list[tuple[str, str, str]]]:
    config = parse()
    known = entries(config)
    chained = build_chains(primary, entry(known, primary), [entry(known, name) for name in fallbacks], config.overrides)
    return {api: shown(chain) for api, chain in chained.items()}


def shown(chain: ir.Chain) -> list[tuple[str, str, str]]:
    return [(member.model, member.api, member.cluster) for member in chain.members]


@pytest.mark.parametrize(
    ("client_api", "spoken", "expected"),
    [
        ("messages", ("chat_completions", "messages", "responses"), "messages"),
        ("messages", ("chat_completions", "responses"), "chat_completions"),
        ("messages", ("responses",), "responses"),
        ("chat_completions", ("messages", "responses"), "messages"),
        ("responses", ("chat_completions", "messages"), "chat_completions"),
        ("embeddings", ("embeddings",), "embeddings"),
        ("embeddings", ("chat_completions",), None),
        ("chat_completions", ("embeddings",), None),
        ("chat_completions", (), None),
    ],
)
def test_the_api_that_a_provider_is_asked_in(client_api: str, spoken: Sequence[str], expected: str | None) -> None:
    assert upstream_api(client_api, speaking({api: Api(suffix=api) for api in spoken})) == expected


def speaking(spoken: Mapping[str, Api], **more: object) -> ProviderEntry:
    entry = ModelProvider.model_validate({"model": "own/model", **more})
    return ProviderEntry(entry=entry, provider=Provider(id="own", apis=spoken))


def test_an_imitation_is_worse_than_a_translation() -> None:
    spoken = {"chat_completions": Api(suffix="chat", is_imitation=True), "messages": Api(suffix="messages")}
    assert upstream_api("responses", speaking(spoken)) == "messages"
    assert upstream_api("chat_completions", speaking(spoken)) == "messages"
    assert upstream_api("messages", speaking({"chat_completions": spoken["chat_completions"]})) == "chat_completions"


def test_an_entry_says_which_apis_its_host_speaks() -> None:
    known = entries(
        parse("""  - {model: anthropic/claude-opus-4-5, access_key: k, apis: [chat_completions, messages]}
  - {model: mistral/own, access_key: k, base_url: "https://llm.example/v2", apis: [responses, chat_completions]}
""")
    )
    assert upstream_api("chat_completions", entry(known, "anthropic/claude-opus-4-5")) == "chat_completions"
    own = entry(known, "mistral/own")
    assert upstream_api("messages", own) == "responses"
    assert served_apis(own) == ["chat_completions", "messages", "responses"]


@pytest.mark.parametrize(
    ("model", "messages", "chat"),
    [
        ("openai/gpt-4.1", "chat_completions", None),
        ("openai/gpt-5.3-codex", "chat_completions", None),
        ("openai/gpt-5.4", "responses", "chat_completions"),
        ("openai/gpt-5.6-terra", "responses", "chat_completions"),
        ("openai/gpt-6.1", "responses", "chat_completions"),
        ("openai/*", "chat_completions", "chat_completions"),
        ("mistral/gpt-6-like", "chat_completions", None),
    ],
)
def test_tools_take_the_newest_models_of_openai_to_responses(model: str, messages: str, chat: str | None) -> None:
    config = parse(f"  - {{model: {model}, access_key: k, name: asked}}\n")
    [found] = [known for known in chained_models(entries(config), config.overrides) if known.entry.name == "asked"]
    assert found.chains["messages"].members[0].api == messages
    own = found.chains.get("chat_completions")
    assert (own.members[0].api if own else None) == chat
    assert own is None or own.for_tools


def test_every_translatable_api_is_served() -> None:
    known = entries(parse())
    assert served_apis(entry(known, "chatgpt/gpt-5")) == ["chat_completions", "messages", "responses"]
    assert "embeddings" in served_apis(entry(known, "big"))


def test_a_chain_where_a_client_must_be_translated_only() -> None:
    translated = [("claude", "messages", "model/claude(messages)")]
    assert made("claude") == {"chat_completions": translated, "responses": translated}


def test_fallbacks_make_a_chain_of_every_api_that_they_serve() -> None:
    assert made("big", "claude") == {
        "chat_completions": [("big", "chat_completions", "model/big"), ("claude", "messages", "model/claude(messages)")],
        "messages": [("big", "chat_completions", "model/big"), ("claude", "messages", "model/claude(messages)")],
        "responses": [("big", "responses", "model/big"), ("claude", "messages", "model/claude(messages)")],
    }


def test_only_a_chain_that_fails_over_gives_up_streams_that_do_not_begin() -> None:
    config = parse()
    known = entries(config)
    alone = build_chains("claude", entry(known, "claude"), (), config.overrides)["responses"]
    both = build_chains("big", entry(known, "big"), [entry(known, "claude")], config.overrides)["chat_completions"]
    assert (alone.first_byte_timeout_seconds, both.first_byte_timeout_seconds) == (0.0, 12.0)
    assert (alone.name, both.name) == ("chain/claude(responses)", "chain/big(chat_completions)")


@pytest.mark.parametrize(
    ("instances", "attempts", "max_retries", "expected"),
    [
        ([1], 2, None, 2),
        ([1, 1], 2, None, 2),
        ([1] * 5, 2, None, 4),
        ([1] * 5, 0, None, 4),
        ([1], 0, None, 0),
        ([1] * 5, 2, 1, 1),
        ([1] * 5, 2, 0, 0),
        ([1, 2], 2, None, 3),
        ([3, 1], 0, None, 3),
        ([3], 0, None, 0),
        ([1, 2], 2, 1, 1),
    ],
)
def test_every_member_has_its_turn_unless_the_listener_limits_retries(
    instances: list[int], attempts: int, max_retries: int | None, expected: int
) -> None:
    settings = Resilience.model_validate({"retries": {"attempts": attempts}})
    assert chain_retries(agent_failover(instances), settings, max_retries) == expected


@pytest.mark.parametrize(
    ("timeouts", "whole", "stream"),
    [
        ("{}", 60.0, 12.0),
        ("{first_byte: 7s}", 60.0, 7.0),
        ("{first_byte: 1h}", 60.0, 300.0),
        ("{whole: 200s}", 200.0, 12.0),
        ("{whole: 1h}", 300.0, 12.0),
        ("{total: 20s}", 60.0, 12.0),
    ],
)
def test_a_stream_waits_less_than_a_whole_answer(timeouts: str, whole: float, stream: float) -> None:
    config = parse(f"overrides: {{resilience: {{timeouts: {timeouts}}}}}")
    known = entries(config)
    chain = build_chains("big", entry(known, "big"), [entry(known, "claude")], config.overrides)["messages"]
    listener = Listener.model_validate({"type": "model"})
    routes = list(build_chain_routes(chain, entry(known, "big"), listener, config.overrides))
    assert [(route.name, route.cluster, route.response_timeout_seconds) for route in routes] == [
        ("chain/big(messages)", "chain/big(messages)", whole),
        ("chain/big(messages)/stream", "chain/big(messages)", stream),
    ]


def test_an_alias_with_fallbacks_has_chains_of_its_own() -> None:
    config = parse("model_aliases: {smart: {target: claude, fallbacks: [big]}, other: {target: smart}, plain: {target: big}}")
    shared = build_shared_aliases(config.model_aliases, entries(config), config.overrides)
    assert [alias.name for alias in shared] == ["other", "smart"]
    assert [chain.name for chain in aliases.alias_chains(shared[1:])] == [
        "chain/smart(chat_completions)",
        "chain/smart(messages)",
        "chain/smart(responses)",
    ]
    assert shown(shared[1].shares[0].chains["messages"])[0] == ("claude", "messages", "model/claude(messages)")


def test_a_split_alias_uses_the_routes_of_its_models_unless_it_has_fallbacks() -> None:
    targets = "[{model: big, weight: 9}, {model: claude}]"
    config = parse(f"model_aliases: {{a: {{targets: {targets}}}, b: {{targets: {targets}, fallbacks: [claude]}}}}")
    plain, chained = (alias.plan() for alias in build_shared_aliases(config.model_aliases, entries(config), config.overrides))
    assert plain == [pb.Share(model="big", weight=9), pb.Share(model="claude", weight=1)]
    assert [route.route for route in chained[0].routes][:1] == ["chain/b(big,chat_completions)"]
    assert not chained[1].routes


def test_attempts_make_the_request_of_a_chain() -> None:
    config = parse()
    chained = build_chains("claude", entry(entries(config), "claude"), (), config.overrides)
    assert build_chain_choices(chained) == {
        api: pb.ModelRoute(
            api=api, route=f"chain/claude({api})", by_attempt=True, members=[pb.Member(model="claude", api="messages")]
        )
        for api in ("chat_completions", "responses")
    }
