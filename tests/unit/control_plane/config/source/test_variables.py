"""Environment variables in values."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from control_plane.config.source.variables import Expansion, Missing

TREES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


def expand(value: Any, **env: str) -> Any:
    return Expansion(env).expand(value)


def test_both_forms_and_the_dollar() -> None:
    assert expand("$A-${A}b-$$A-$5-$", A="1") == "1-1b-$A-$5-$"


def test_what_a_variable_holds_is_not_expanded_again() -> None:
    assert expand("$A", A="$B $$ ${C}") == "$B $$ ${C}"


def test_keys_and_other_types_stay() -> None:
    assert expand({"$A": ["$A", 1, None, True]}, A="x") == {"$A": ["x", 1, None, True]}


def test_missing_variables_are_all_named_with_their_place() -> None:
    expansion = Expansion({"A": "1"})
    expansion.expand({"one": ["$A $B"], "two": "${C}${"})
    assert expansion.missing == [Missing(("one", 0), "B"), Missing(("two",), "C"), Missing(("two",), "")]
    assert expansion.from_variables == {("one", 0)}


def test_an_empty_variable_is_not_missing() -> None:
    expansion = Expansion({"A": ""})
    assert expansion.expand("$A") == ""
    assert not expansion.missing


@given(st.text())
def test_doubled_dollars_give_any_text_back(text: str) -> None:
    expansion = Expansion({})
    assert expansion.expand(text.replace("$", "$$")) == text
    assert not expansion.missing


@given(TREES)
def test_what_has_no_dollar_stays_as_it_is(tree: Any) -> None:
    expansion = Expansion({})
    expanded = expansion.expand(tree)
    if "$" not in str(tree):
        assert expanded == tree
        assert not expansion.missing


@given(st.text())
def test_a_value_never_changes_the_structure(value: str) -> None:
    expanded = expand({"a": ["$V"], "b": "x"}, V=value)
    assert expanded == {"a": [value], "b": "x"}
