"""Whatever a client sends as preferences is read, or refused by name."""

from hypothesis import given
from hypothesis import strategies as st

from ext_proc.errors import RequestError
from ext_proc.routing.models.body_preferences import FIELD, read_preferences
from ext_proc.runtime import Model, ModelTables

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
