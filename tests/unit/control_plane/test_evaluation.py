"""Which listener is meant by an evaluation, and what its cases must be."""

from pathlib import Path

import pytest

from control_plane.config import load
from control_plane.errors import ConfigError
from control_plane.evaluation import CannotEvaluate, Subject, asks_providers, find_subject, read_cases
from control_plane.gateway import build_gateway
from control_plane.ir import Gateway
from control_plane.reading import EXAMPLE_RUNTIME

AGENTS = """
  - type: agent
    name: {name}
    port: {port}
    agents: [{{id: a, description: A}}, {{id: b, description: B, default: true}}]"""
CONFIG = """
version: v0.4.0
agents: [{{id: a, url: "http://127.0.0.1:1"}}, {{id: b, url: "http://127.0.0.1:2"}}]
model_providers: [{{model: openai/gpt-4o, access_key: $KEY}}]
routing_preferences: [{preferences}]
overrides: {{{overrides}}}
listeners:{listeners}
"""
SUBJECT = Subject("one", ("a", "b"), "b")


def gateway(*, agents: tuple[str, ...] = (), preferences: str = "", overrides: str = "") -> Gateway:
    listeners = "".join(AGENTS.format(name=name, port=8001 + index) for index, name in enumerate(agents))
    text = CONFIG.format(
        listeners=listeners or "\n  - {type: model, name: models, port: 12000}", preferences=preferences, overrides=overrides
    )
    return build_gateway(load(text, env={"KEY": "k"}).config, runtime=EXAMPLE_RUNTIME)


POEMS = "{name: poems, description: Poems, models: [openai/gpt-4o]}"


def test_the_only_listener_that_decides_is_meant() -> None:
    assert find_subject(gateway(agents=("one",)), None) == SUBJECT
    assert find_subject(gateway(preferences=POEMS), None) == Subject("models", ("poems",))


def test_of_several_one_has_to_be_chosen() -> None:
    both = gateway(agents=("one", "two"))
    with pytest.raises(CannotEvaluate, match=r"several listeners decide \(one, two\)"):
        find_subject(both, None)
    assert find_subject(both, "two").listener == "two"
    for nothing, listener in ((both, "three"), (gateway(), None)):
        with pytest.raises(CannotEvaluate, match="leaves nothing to decide"):
            find_subject(nothing, listener)


def test_models_of_providers_need_a_gateway_that_runs() -> None:
    assert not asks_providers(gateway(agents=("one",)))
    assert asks_providers(gateway(agents=("one",), overrides="agent_orchestration_model: openai/gpt-4o"))
    assert asks_providers(gateway(agents=("one",), overrides="agent_embedding_model: openai/gpt-4o"))


def test_cases_are_read_by_line(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text('{"messages": [], "expect": ["a"], "note": "kept out"}\n\n{"messages": [], "expect": ["b"]}\n')
    first, second = read_cases(file, SUBJECT)
    assert (first.line, first.expect) == (1, ("a",))
    assert (second.line, second.expect) == (3, ()), "whoever is the default is not decided for"


def test_every_line_that_is_no_case_is_named(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text(
        '{\n[]\n{"messages": {}}\n{"messages": []}\n{"messages": [], "expect": "a"}\n{"messages": [], "expect": ["c"]}'
    )
    with pytest.raises(ConfigError) as caught:
        read_cases(file, SUBJECT)
    assert [(problem.line, problem.path) for problem in caught.value.problems] == [
        (1, ""),
        (2, "messages"),
        (3, "messages"),
        (4, "expect"),
        (5, "expect"),
        (6, "expect"),
    ]
    assert caught.value.problems[-1].message == "'c' is none of a, b"


def test_a_file_without_cases_is_no_success(tmp_path: Path) -> None:
    file = tmp_path / "cases.jsonl"
    file.write_text("\n")
    with pytest.raises(ConfigError):
        read_cases(file, SUBJECT)
    with pytest.raises(CannotEvaluate, match="cannot read"):
        read_cases(tmp_path / "missing", SUBJECT)
