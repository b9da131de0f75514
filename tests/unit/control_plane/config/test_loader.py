"""Loading a whole file: it loads, or every problem is told; nothing else ever happens."""

import time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from control_plane.config import Loaded, load
from control_plane.config.model import PlanoConfig
from control_plane.errors import ConfigError
from tests.kit.golden import GOLDEN_ROOT, golden_inputs
from tests.kit.problems import TEST_ENV

MINIMAL = "version: v0.4.0\nlisteners: [{type: model, name: models}]\n"
WORDS = ["version", "listeners", "agents", "filters", "model_providers", "llm_providers", "model_aliases", "overrides"]
WORDS += [
    "id",
    "url",
    "type",
    "agent",
    "model",
    "name",
    "port",
    "filter_chain",
    "input_filters",
    "routing_preferences",
    "target",
]
VALUES = st.sampled_from(
    ["v0.3.0", "v0.4.0", "agent", "model", "a", "openai/gpt-4o", "http://a:1", "$A", "${A}", "$$", "30s", 8001]
)
LEAVES = VALUES | st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
TREES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=6),
    max_leaves=30,
)
CASES = [*golden_inputs(GOLDEN_ROOT / "configs_that_load"), *golden_inputs(GOLDEN_ROOT / "config_problems")]
TREE_CASES = [case for case in CASES if not case.name.startswith("yaml-")]


def load_or_problems(text: str | bytes, env: dict[str, str] | None = None) -> Loaded | ConfigError:
    try:
        return load(text, env=env or {})
    except ConfigError as error:
        refused = error
    assert refused.problems
    return refused


@given(st.binary() | st.text())
def test_any_bytes(text: str | bytes) -> None:
    load_or_problems(text)


@given(TREES)
def test_any_tree(tree: Any) -> None:
    load_or_problems(yaml.safe_dump(tree))


@given(st.dictionaries(st.sampled_from(WORDS), TREES, min_size=2))
def test_any_mapping(tree: dict[str, Any]) -> None:
    load_or_problems(yaml.safe_dump({"version": "v0.3.0", **tree}), {"A": "a"})


@given(st.data())
def test_a_good_file_with_a_part_replaced(data: st.DataObject) -> None:
    tree = yaml.safe_load(data.draw(st.sampled_from(TREE_CASES)).read_text(encoding="utf-8"))
    here = tree
    while isinstance(here, dict | list) and here:
        key = data.draw(st.sampled_from(sorted(here) if isinstance(here, dict) else list(range(len(here)))))
        if not isinstance(here[key], dict | list) or not here[key] or data.draw(st.booleans()):
            here[key] = data.draw(TREES)
            break
        here = here[key]
    load_or_problems(yaml.safe_dump(tree), TEST_ENV)


@pytest.mark.parametrize("version", ["v0.1", "v0.1.0", "0.1-beta", "0.2.0", "v0.3.0", "v0.4.0"])
def test_every_version_of_plano(version: str) -> None:
    loaded = load(MINIMAL.replace("v0.4.0", version), env={})
    assert loaded.config.version == "v0.4.0"


def test_bytes_with_a_byte_order_mark() -> None:
    assert load(b"\xef\xbb\xbf" + MINIMAL.encode(), env={}).config.listeners[0].port == 12000


def test_bytes_that_are_no_text_are_a_problem_at_their_line() -> None:
    with pytest.raises(ConfigError) as caught:
        load(b"version: v0.4.0\nlisteners: \xff\n", env={}, file="mine.yaml")
    (problem,) = caught.value.problems
    assert (problem.code, problem.line, problem.file) == ("not-utf8", 2, "mine.yaml")


def test_a_variable_cannot_add_keys() -> None:
    text = MINIMAL.replace("models", "$NAME")
    assert load(text, env={"NAME": "a, port: 1"}).config.listeners[0].name == "a, port: 1"


def test_providers_bring_a_model_listener() -> None:
    text = (
        "version: v0.4.0\nagents: [{id: a, url: 'http://a:1'}]\nmodel_providers: [{model: openai/*, access_key: $K}]\n"
        "listeners: [{type: agent, name: x, port: 8001, agents: [{id: a, description: b}]}]\n"
    )
    first, second = load(text, env={"K": "k"}).config.listeners
    assert (first.timeout, first.type) == (30.0, "agent")
    assert (second.type, second.name, second.port, second.timeout) == ("model", "egress_traffic", 12000, 300.0)


def test_secrets_are_never_printed() -> None:
    text = MINIMAL + "model_providers: [{model: openai/*, access_key: $KEY, headers: {x-org: $KEY}}]\n"
    loaded = load(text, env={"KEY": "very-secret"})
    assert loaded.config.model_providers[0].access_key is not None
    assert loaded.config.model_providers[0].access_key.reveal() == "very-secret"
    assert "very-secret" not in f"{loaded!r} {loaded.config} {loaded.config.model_dump()}"


def test_a_thousand_agents_and_models_load_quickly() -> None:
    count = 1000
    tree = {
        "version": "v0.4.0",
        "agents": [{"id": f"agent_{n}", "url": f"http://10.0.0.1:{n + 1}"} for n in range(count)],
        "model_providers": [{"model": f"openai/model-{n}", "access_key": "$KEY"} for n in range(count)],
        "listeners": [
            {
                "type": "agent",
                "name": "a",
                "port": 8001,
                "agents": [{"id": f"agent_{n}", "description": "d"} for n in range(count)],
            }
        ],
    }
    text = yaml.safe_dump(tree)
    started = time.process_time()
    config: PlanoConfig = load(text, env={"KEY": "k"}).config
    assert time.process_time() - started < 3
    assert len(config.agents) == len(config.model_providers) == count
