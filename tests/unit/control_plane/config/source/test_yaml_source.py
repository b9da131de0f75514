"""YAML text as plain data with lines."""

import time

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from control_plane.config.source import yaml_source
from control_plane.config.source.yaml_source import UnreadableYaml, parse_yaml

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(st.characters(codec="utf-8"))
KEYS = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)


def test_lines_are_those_of_keys_and_items() -> None:
    source, problems = parse_yaml("a: 1\nb:\n  - x\n  -\n    c: |\n      text\n      more\n    d: 2\n")
    assert not problems
    assert source.data == {"a": 1, "b": ["x", {"c": "text\nmore\n", "d": 2}]}
    assert source.lines[("b", 0)] == 3
    assert source.lines[("b", 1, "c")] == 5
    assert source.lines[("b", 1, "d")] == 8


def test_keys_are_text_whatever_they_look_like() -> None:
    source, _ = parse_yaml("on: 1\n5: 2\n~: 3\n2024-01-01: 2024-01-01\n")
    assert source.data == {"on": 1, "5": 2, "~": 3, "2024-01-01": "2024-01-01"}


def test_merge_keys_give_way_to_keys_of_their_own_and_to_nearer_ones() -> None:
    source, problems = parse_yaml("a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc:\n  <<: [*a, *b]\n  x: 3\n")
    assert not problems
    assert source.data["c"] == {"x": 3, "y": 1, "z": 2}
    assert source.lines[("c", "x")] == 5
    assert source.lines[("c", "z")] == 2


def test_duplicate_keys_are_problems() -> None:
    _, problems = parse_yaml("a:\n  b: 1\n  b: 2\n")
    assert [(p.path, p.code, p.line) for p in problems] == [("a.b", "duplicate-key", 3)]


def test_an_alias_within_itself_is_a_problem() -> None:
    _, problems = parse_yaml("a: &a\n  b: *a\n")
    assert [p.code for p in problems] == ["recursive-alias"]


def test_aliases_of_aliases_are_refused_before_they_cost_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(yaml_source, "MAX_NODES", 10_000)
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 12)
    )
    with pytest.raises(UnreadableYaml) as caught:
        parse_yaml(bomb)
    assert caught.value.problem.code == "too-large"


@pytest.mark.parametrize("opening", ["[", "{a: ", "- "])
def test_nesting_is_refused_quickly(opening: str) -> None:
    started = time.perf_counter()
    with pytest.raises(UnreadableYaml):
        parse_yaml("a: " + opening * 100_000)
    assert time.perf_counter() - started < 10


@pytest.mark.parametrize(
    "value", ["!!int ''", "0b_", "!!bool maybe", "!!float x", "!!binary aGk=", "!!python/name:os.system x"]
)
def test_a_value_that_cannot_be_what_it_says_is_a_problem(value: str) -> None:
    _, problems = parse_yaml(f"a: {value}\n")
    assert [(p.path, p.line) for p in problems] == [("a", 1)]


def test_two_documents_are_refused() -> None:
    with pytest.raises(UnreadableYaml):
        parse_yaml("a: 1\n---\nb: 2\n")


@given(st.dictionaries(KEYS, TREES, max_size=5))
def test_reads_what_yaml_writes(tree: dict[str, object]) -> None:
    source, problems = parse_yaml(yaml.safe_dump(tree)) if tree else (None, [])
    assert not problems
    if source is not None:
        assert source.data == tree


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse_yaml(text)
    except UnreadableYaml:
        pass
