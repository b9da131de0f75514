from hypothesis import given
from hypothesis import strategies as st

from ext_proc.routing.models.measures import Known, Measures, Price
from ext_proc.routing.models.model import Model
from ext_proc.routing.models.ranking import rank
from ext_proc.routing.models.resolve import ResolvedModel

MODELS = tuple(ResolvedModel(Model(name=f"p/{name}", upstream_model=name, provider="p"), name, "route") for name in "abcde")
VALUES = st.dictionaries(st.sampled_from([model.name for model in MODELS]), st.floats(0, 100))


def names(ranked: tuple[ResolvedModel, ...]) -> list[str]:
    return [model.upstream_model for model in ranked]


def test_without_a_policy_models_stay_as_declared() -> None:
    assert names(rank(MODELS, "", Measures(latencies=Known({"p/e": 0.1})))) == list("abcde")


def test_input_and_output_count_and_what_is_not_known_comes_last() -> None:
    prices = {"p/b": Price(1, 9), "p/d": Price(5, 4), "p/e": Price(0, 10)}
    assert names(rank(MODELS, "cheapest", Measures(prices=Known(prices)))) == list("dbeac")


@given(VALUES)
def test_every_model_is_ranked_once_by_its_value(latencies: dict[str, float]) -> None:
    ranked = rank(MODELS, "fastest", Measures(latencies=Known(latencies)))
    assert sorted(names(ranked)) == list("abcde")
    known = [latencies[model.name] for model in ranked if model.name in latencies]
    assert known == sorted(known)
    assert all(model.name in latencies for model in ranked[: len(known)])
    assert names(ranked[len(known) :]) == sorted(names(ranked[len(known) :]))
