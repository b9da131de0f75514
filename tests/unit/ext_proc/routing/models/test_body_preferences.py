"""Whatever a client sends as preferences is read, or refused by name."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.errors import RequestError
from ext_proc.routing.models import preferences
from ext_proc.routing.models.body_preferences import FIELD, MAX_TEXT_BYTES, read_preferences
from ext_proc.routing.models.model import Model, ModelTables

GPT = Model(name="openai/gpt-4o", upstream_model="gpt-4o", provider="openai")
TABLES = ModelTables(exact={"openai/gpt-4o": GPT}, bare={"gpt-4o": GPT})
JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=5), st.just("gpt-4o")),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
)
POLICY = st.fixed_dictionaries({"prefer": st.sampled_from(["cheapest", "fastest", "none", "x"])})
NEARLY = st.fixed_dictionaries(
    {"name": st.text(max_size=3), "description": st.text(max_size=3), "models": st.just(["gpt-4o"]) | JSON},
    optional={"selection_policy": POLICY | JSON},
)


@given(JSON | st.lists(NEARLY | JSON, max_size=3))
def test_anything_is_read_or_refused_by_name(given: object) -> None:
    refused: RequestError | None = None
    try:
        found = read_preferences(given, TABLES)
    except RequestError as error:
        refused = error
    else:
        assert found is None or (found.by_name and set(found.pool.ids) == set(found.by_name) and not found.is_configured)
    assert refused is None or (refused.status, (refused.param or "").partition("[")[0]) == (400, FIELD)


def test_equal_preferences_are_compiled_once() -> None:
    sent = [{"name": "code", "description": "Code", "models": ["gpt-4o", "openai/gpt-4o"]}]
    first, second = read_preferences(sent, TABLES), read_preferences(sent, TABLES)
    assert first is not None
    assert second is not None
    assert first.pool is second.pool
    assert [model.name for model in first.by_name["code"].models] == ["openai/gpt-4o"]


def brought(size: int, *, count: int, letter: str = "x") -> list[dict[str, object]]:
    """Preferences whose names and descriptions take `size` bytes."""
    length = size // count - 3
    return [{"name": f"{n:03}", "description": letter * length, "models": ["gpt-4o"]} for n in range(count)]


def test_all_texts_together_are_bounded() -> None:
    assert read_preferences(brought(MAX_TEXT_BYTES, count=4), TABLES) is not None
    for too_many in (brought(MAX_TEXT_BYTES + 8, count=4), brought(MAX_TEXT_BYTES, count=4, letter="\u00e9")):
        with pytest.raises(RequestError, match=f"at most {MAX_TEXT_BYTES} bytes") as caught:
            read_preferences(too_many, TABLES)
        assert (caught.value.status, caught.value.param) == (400, FIELD)


def test_what_is_kept_is_bounded_by_its_size() -> None:
    compiled: list[int] = []

    def compile_agents(described: list[object]) -> object:
        compiled.append(len(described))
        return described

    def text(number: int) -> tuple[tuple[str, str], ...]:
        return ((str(number), "x" * 9),)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(preferences, "compile_agents", compile_agents)
        pools = preferences._Pools(max_characters=30)
        for number in (1, 2, 3, 1, 4, 1, 2):  # 4 takes the place of 2, which was asked for longest ago, and 2 that of 3.
            pools.get(text(number))
    assert len(compiled) == 5
