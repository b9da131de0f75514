from collections.abc import Callable
from typing import Any

import pytest

from ext_proc.errors import Uncompilable
from ext_proc.plan.listeners import ListenerKind
from ext_proc.plan.plan import compile_plan
from ext_proc.routing.models.resolve import resolve_model
from protos import filter_config_pb2 as pb
from tests.kit.filter_configs import filter_config


def test_makes_every_lookup_table() -> None:
    config = filter_config()
    config.orchestrator.CopyFrom(pb.Orchestrator(model="azure/gpt", timeout_seconds=5, context_length=8192))
    plan = compile_plan(config)
    assert [(name, listener.kind) for name, listener in plan.listeners.items()] == [
        ("agents", ListenerKind.AGENT),
        ("solo", ListenerKind.AGENT),
        ("models", ListenerKind.MODEL),
        ("guarded", ListenerKind.MODEL),
    ]
    assert list(plan.listeners["agents"].agents) == ["weather", "flights"]
    assert [item.id for item in plan.listeners["solo"].agents["weather"].input_filters] == ["guard"]
    assert list(plan.models.exact) == ["openai/gpt-4o", "openai/gpt-4o-mini", "azure/gpt", "anthropic/claude"]
    assert plan.models.aliases["fast"] is plan.models.exact["openai/gpt-4o-mini"]
    assert list(plan.models.wildcards) == ["together"]
    assert plan.models.hidden == {"together/orchestrator"}
    assert plan.orchestrator is not None
    assert plan.orchestrator.path == "/openai/deployments/my%20deploy%2Fment/chat?api-version=1"


def test_a_provider_with_a_name_is_also_asked_for_by_the_ids_of_its_model() -> None:
    config = filter_config()
    config.models.add(name="office-large", upstream_model="large-8b", provider="office")
    tables = compile_plan(config).models
    asked = [resolve_model(tables, spelling).name for spelling in ("office-large", "office/large-8b", "large-8b")]
    assert asked == ["office-large"] * 3


def change(**kwargs: Any) -> Callable[[pb.FilterConfig], None]:
    def apply(config: pb.FilterConfig) -> None:
        for field, value in kwargs.items():
            getattr(config, field).add(**value)

    return apply


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (change(listeners={"name": "agents", "kind": 2}), "listener 'agents' is there twice"),
        (change(listeners={"name": "x"}), "listener 'x' has no kind"),
        (change(listeners={"name": "x", "kind": 1}), "listener 'x' has no agents"),
        (change(listeners={"name": "x", "kind": 2, "input_filters": ["ghost"]}), "filter 'ghost' is not defined"),
        (
            change(listeners={"name": "x", "kind": 1, "agents": [{"id": "a"}, {"id": "a"}]}),
            "agent of listener 'x' 'a' is there twice",
        ),
        (change(filters={"id": "guard", "type": "http", "timeout_seconds": 1}), "filter 'guard' is there twice"),
        (change(filters={"id": "f", "timeout_seconds": 1}), "filter 'f' has no type"),
        (change(filters={"id": "f", "type": "http"}), "filter 'f' has no timeout"),
        (
            change(models={"name": "a/b", "upstream_model": "b", "default": True}),
            "two default models: 'openai/gpt-4o' and 'a/b'",
        ),
        (change(models={"name": "a/b"}), "model 'a/b' has no upstream model"),
        (change(models={"name": "a/*", "upstream_model": "b"}), "model 'a/\\*' has an upstream model"),
        (change(models={"name": "a/b", "upstream_model": "b", "routes": [{"api": "x"}, {"api": "x"}]}), "'x' is there twice"),
        (change(aliases={"name": "slow", "model": "ghost"}), "model 'ghost' is not defined"),
        (change(aliases={"name": "fast", "model": "azure/gpt"}), "alias 'fast' is there twice"),
        (lambda config: config.orchestrator.CopyFrom(pb.Orchestrator(model="ghost")), "model 'ghost' is not defined"),
        (lambda config: config.orchestrator.CopyFrom(pb.Orchestrator(model="together/*")), "stands for many"),
        (
            change(aliases={"name": "any", "model": "together/*"}),
            "'together/\\*' stands for many models, it cannot be an alias",
        ),
        (change(models={"name": "a/*", "default": True}), "cannot be the default"),
        (
            lambda config: config.orchestrator.CopyFrom(pb.Orchestrator(model="anthropic/claude")),
            "does not speak chat_completions",
        ),
    ],
)
def test_says_why_a_configuration_cannot_work(spoil: Callable[[pb.FilterConfig], None], reason: str) -> None:
    config = filter_config()
    spoil(config)
    with pytest.raises(Uncompilable, match=reason):
        compile_plan(config)


def test_an_empty_configuration_serves_nothing() -> None:
    plan = compile_plan(pb.FilterConfig(version="v0"))
    assert (plan.listeners, plan.orchestrator, plan.models.default) == ({}, None, None)
    assert plan.models_body == b'{"object":"list","data":[]}'


@pytest.mark.parametrize(
    ("api", "path"), [("", "/v1/chat/completions"), ("decisions", "/v1/decisions"), ("systemone", "/v1/systemone")]
)
def test_a_decision_model_is_reached_beside_chat_completions(api: str, path: str) -> None:
    config = filter_config()
    (model,) = (model for model in config.models if model.name == "together/orchestrator")
    for route in model.routes:
        if route.api == "chat_completions":
            route.path = "/v1/chat/completions"
    config.orchestrator.CopyFrom(pb.Orchestrator(model="together/orchestrator", api=api, threshold=0.7, cache_seconds=2))
    orchestrator = compile_plan(config).orchestrator
    assert orchestrator is not None
    assert (orchestrator.path, orchestrator.threshold, orchestrator.cache_seconds) == (path, 0.7, 2)


def test_an_api_that_no_orchestrator_has_is_refused() -> None:
    config = filter_config()
    config.orchestrator.CopyFrom(pb.Orchestrator(model="together/orchestrator", api="telepathy"))
    with pytest.raises(Uncompilable, match="cannot be asked by 'telepathy'"):
        compile_plan(config)
