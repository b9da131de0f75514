"""Upgrades keep the way back to the file, and leave what they get untouched."""

import copy
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from control_plane.config.source.tree import Tree
from control_plane.config.source.yaml_source import parse_yaml
from control_plane.config.upgrade import CURRENT_VERSION, upgrade
from tests.kit.golden import GOLDEN_ROOT, golden_inputs

LOADABLE = golden_inputs(GOLDEN_ROOT / "configs_that_load")


def upgraded(text: str) -> Tree:
    source, problems = parse_yaml(text)
    assert not problems
    return upgrade(Tree(source.data, source.lines))


def test_a_path_leads_back_through_every_upgrade() -> None:
    tree = upgraded(
        "version: v0.1\nagents:\n  - {id: a, url: u, filter_chain: [f]}\nllm_providers:\n  - {model: m}\n"
        "listeners:\n  - {type: agent, agents: [{id: a}]}\n"
    )
    assert tree.data["listeners"][0]["agents"][0]["input_filters"] == ["f"]
    assert tree.original(("listeners", 0, "agents", 0, "input_filters", 0)) == ("agents", 0, "filter_chain", 0)
    assert tree.problem(("model_providers", 0, "model"), "x", "y").path == "llm_providers[0].model"
    assert tree.problem(("model_providers", 0, "model"), "x", "y").line == 5


def test_same_preferences_become_one_entry() -> None:
    tree = upgraded(
        "version: v0.3.0\nlisteners: []\nmodel_providers:\n"
        "  - {model: a/1, routing_preferences: [{name: code, description: first}]}\n"
        "  - {model: b/2, routing_preferences: [{name: code, description: second}]}\n"
    )
    assert tree.data["routing_preferences"] == [{"name": "code", "description": "first", "models": ["a/1", "b/2"]}]
    assert all("routing_preferences" not in provider for provider in tree.data["model_providers"])
    assert [warning.code for warning in tree.warnings] == ["deprecated", "description-ignored"]


@pytest.mark.parametrize(
    ("routing", "chooses"),
    [
        ("{llm_provider: openai, model: gpt-4o}", "openai/gpt-4o"),
        ("{llm_provider: groq, model: any/router}", "groq/any/router"),
        ("{llm_provider: small, model: Arch-Router}", "small"),
        ("{model: gpt-4o}", "gpt-4o"),
        ("{model: quick}", "quick"),
        ("{llm_provider: openai}", None),
        ("{llm_provider: openai, model: Arch-Router}", None),
        ("{model: 3}", None),
    ],
)
def test_the_model_that_chooses_is_found_by_its_old_names(routing: str, chooses: str | None) -> None:
    text = (
        "version: v0.3.0\nlisteners: []\nmodel_aliases: {quick: {target: gpt-4o}}\nmodel_providers:\n"
        "  - {model: openai/gpt-4o}\n  - {model: groq/*}\n  - {name: small, model: ollama/router}\n"
    )
    for overrides in ("", "overrides:\n"):
        tree = upgraded(f"{text}{overrides}routing: {routing}\n")
        found = (tree.data.get("overrides") or {}).get("llm_routing_model")
        assert found == {"quick": "gpt-4o"}.get(chooses or "", chooses)
        assert (chooses is None) == ("llm_routing_model" not in (tree.data.get("overrides") or {}))
    now = upgraded(f"{text}routing: {routing}\noverrides: {{llm_routing_model: mine}}\n")
    assert now.data["overrides"]["llm_routing_model"] == "mine"


def test_what_an_entry_says_itself_is_not_inherited() -> None:
    tree = upgraded(
        "version: v0.4.0\nagents: [{id: a, description: general}]\n"
        "listeners: [{type: agent, agents: [{id: a, description: special}, {id: a}, {id: b}]}]\n"
    )
    assert [offer.get("description") for offer in tree.data["listeners"][0]["agents"]] == ["special", "general", None]


def test_what_only_a_wildcard_covers_gets_an_entry() -> None:
    tree = upgraded(
        "version: v0.4.0\nlisteners: []\nmodel_providers:\n  - {model: openai/*, name: prod, access_key: k, default: true}\n"
        "model_aliases: {fast: {target: prod/mini}, faster: {target: fast}, none: {target: groq/x}}\n"
        "overrides: {agent_orchestration_model: faster}\n"
    )
    assert tree.data["model_providers"][1:] == [{"model": "openai/mini", "name": "prod/mini", "access_key": "k"}]
    assert tree.data["overrides"] == {"agent_orchestration_model": "prod/mini"}
    assert tree.problem(("model_providers", 1, "access_key"), "x", "y").line == 4


def test_the_orchestration_model_of_planos_guide() -> None:
    tree = upgraded(
        "version: v0.4.0\nlisteners: []\nmodel_providers: [{model: katanemo/P-4B}]\n"
        "overrides: {agent_orchestration_model: plano/katanemo/P-4B}\n"
    )
    assert tree.data["overrides"] == {"agent_orchestration_model": "katanemo/P-4B"}


def test_upgrading_twice_changes_nothing() -> None:
    for case in LOADABLE:
        tree = upgraded(case.read_text(encoding="utf-8"))
        again = upgrade(Tree(tree.data, {}))
        assert again.data == tree.data
        assert not again.warnings
        assert tree.data["version"] == CURRENT_VERSION


@given(st.sampled_from(LOADABLE), st.randoms(use_true_random=False))
@settings(max_examples=50)
def test_the_input_is_left_alone(case: Any, random: Any) -> None:
    data = yaml.safe_load(case.read_text(encoding="utf-8"))
    before = copy.deepcopy(data)
    upgrade(Tree(data, {}))
    assert data == before
