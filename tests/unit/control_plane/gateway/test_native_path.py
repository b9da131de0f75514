"""Which calls Envoy may answer alone, and that names of models mean there what ext_proc makes of them."""

import pytest
import yaml

from control_plane import ir
from control_plane.config import load
from control_plane.gateway import build_gateway
from control_plane.gateway.runtime import Runtime
from ext_proc.apis.registry import MODEL_APIS
from ext_proc.errors import GatewayError
from ext_proc.plan.plan import compile_plan
from ext_proc.routing.models.resolve import resolve_model
from protos.contract.apis import CLIENT_PATHS

CHAT = "/v1/chat/completions"
CONFIG = """
version: v0.4.0
model_providers:
  - {model: openai/gpt-4o, access_key: $KEY, default: true}
  - {model: openai/gpt-4o-mini, access_key: $KEY, fallbacks: [openai/gpt-4o]}
  - {model: openai/*, access_key: $KEY}
  - {model: groq/*, access_key: $KEY}
  - {model: anthropic/claude-sonnet-4-5, access_key: $KEY}
  - {model: mistral/named, name: ours, access_key: $KEY}
model_aliases:
  fast: {target: gpt-4o}
  openai/quick: {target: openai/gpt-4o}
  safe: {target: openai/gpt-4o, fallbacks: [ours]}
  openai/split: {targets: [{model: openai/gpt-4o, weight: 1}, {model: ours, weight: 1}]}
listeners: [{type: model, name: models, port: 12000}]
"""


def gateway(**changes: object) -> ir.Gateway:
    text = yaml.safe_dump(yaml.safe_load(CONFIG) | changes)
    runtime = Runtime(egress_address="unix:///e", egress_url="unix:///e", access_log_path="/dev/null")
    return build_gateway(load(text, env={"KEY": "k"}).config, runtime=runtime)


def native_names(built: ir.Gateway, path: str = CHAT) -> dict[str, ir.NativeModel]:
    native = built.listeners[0].native_path
    return {model.name: model for model in native.models if model.path == path} if native else {}


def test_the_paths_of_apis_are_those_that_ext_proc_serves() -> None:
    assert {path: api for api, path in CLIENT_PATHS.items()} == {
        path: str(api) for path, api in MODEL_APIS.items() if path != "/v1/models"
    }


def test_every_name_means_what_ext_proc_makes_of_it() -> None:
    built = gateway()
    plan = compile_plan(built.filter_config)
    for name, native in native_names(built).items():
        asked = name.replace("*", "some-model")
        resolved = resolve_model(plan.models, asked)
        route = resolved.model.routes[MODEL_APIS[CHAT]]
        if not native.route:
            assert route.by_attempt or resolved.reason == "split_alias", name
            continue
        assert not route.by_attempt
        assert (native.route, native.entry) == (route.route, resolved.model.name)
        assert native.upstream_model in ("", resolved.upstream_model)
        assert native.decision == f"{resolved.reason}; native"
        assert native.upstream_path == route.path


@pytest.mark.parametrize("name", ["openai/gpt-4o-mini", "openai/split"])
def test_what_needs_attempts_or_a_choice_is_no_matter_of_the_wildcard(name: str) -> None:
    assert native_names(gateway())[name].route == ""


@pytest.mark.parametrize("name", ["safe", "nobody/knows", "", "claude-sonnet-4-5"])
def test_others_are_not_there(name: str) -> None:
    assert name not in native_names(gateway())
    with pytest.raises(GatewayError):
        resolve_model(compile_plan(gateway().filter_config).models, "nobody/knows")


def test_an_api_of_a_providers_own_is_native_and_translations_are_not() -> None:
    assert native_names(gateway(), "/v1/messages").keys() == {"anthropic/claude-sonnet-4-5", "claude-sonnet-4-5"}


@pytest.mark.parametrize(
    "changes",
    [
        {"overrides": {"native_path": False}},
        {
            "ratelimits": [
                {
                    "model": "openai/gpt-4o",
                    "selector": {"key": "x-user", "value": "*"},
                    "limit": {"tokens": 10, "unit": "minute"},
                }
            ]
        },
        {
            "filters": [{"id": "guard", "type": "http", "url": "http://127.0.0.1:1"}],
            "listeners": [{"type": "model", "name": "models", "port": 12000, "input_filters": ["guard"]}],
        },
        {
            "filters": [{"id": "guard", "type": "http", "url": "http://127.0.0.1:1"}],
            "listeners": [{"type": "model", "name": "models", "port": 12000, "output_filters": ["guard"]}],
        },
        {
            "tracing": {
                "random_sampling": 100,
                "otlp_http_endpoint": "http://127.0.0.1:4318",
                "span_attributes": {"header_prefixes": ["x-"]},
            }
        },
    ],
)
def test_a_configuration_that_needs_ext_proc_for_all(changes: dict[str, object]) -> None:
    built = gateway(**changes)
    assert native_names(built) == {}
    assert not any(route.is_native for listener in built.listeners for route in listener.routes)


@pytest.mark.parametrize(
    "changes",
    [
        {"routing_preferences": [{"name": "code", "description": "Writes code.", "models": ["openai/gpt-4o"]}]},
        {"prompt_caching": {"enabled": True, "inject_cache_control": True}},
    ],
)
def test_where_prompts_are_looked_at_other_apis_stay_native(changes: dict[str, object]) -> None:
    built = gateway(**changes)
    assert native_names(built) == {}
    assert native_names(built, "/v1/embeddings")


def test_signals_are_read_from_conversations_that_go_on() -> None:
    assert '"assistant"' in native_names(gateway())["openai/gpt-4o"].words
    assert '"assistant"' not in native_names(gateway(overrides={"disable_signals": True}))["openai/gpt-4o"].words


def test_callers_with_rights_of_their_own_are_left_to_ext_proc() -> None:
    callers = [{"name": "all", "keys": ["$ALL"]}, {"name": "some", "keys": ["$SOME"], "models": ["openai/gpt-4o"]}]
    listeners = [{"type": "model", "name": "models", "port": 12000, "auth": {}}]
    text = yaml.safe_dump(yaml.safe_load(CONFIG) | {"callers": callers, "listeners": listeners})
    runtime = Runtime(egress_address="unix:///e", egress_url="unix:///e", access_log_path="/dev/null")
    built = build_gateway(load(text, env={"KEY": "k", "ALL": "a" * 20, "SOME": "b" * 20}).config, runtime=runtime)
    native = built.listeners[0].native_path
    assert native is not None
    assert native.callers == ("all",)
