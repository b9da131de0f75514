import pytest

from ext_proc.errors import MalformedBody, UnknownModel
from ext_proc.routing.models.model import Model, ModelTables, Share
from ext_proc.routing.models.resolve import resolve_model

GPT = Model(name="openai/gpt-4o", upstream_model="gpt-4o-2024", provider="openai")
ANY = Model(name="together/*", upstream_model="", provider="together")
TABLES = ModelTables(
    exact={"openai/gpt-4o": GPT},
    bare={"gpt-4o": GPT},
    aliases={"best": GPT},
    wildcards={"together": ANY},
    hidden=frozenset({"together/hidden"}),
)


@pytest.mark.parametrize(
    ("requested", "reason", "upstream", "name"),
    [
        ("openai/gpt-4o", "exact", "gpt-4o-2024", "openai/gpt-4o"),
        ("gpt-4o", "bare_id", "gpt-4o-2024", "openai/gpt-4o"),
        ("best", "alias", "gpt-4o-2024", "openai/gpt-4o"),
        ("together/x/y", "wildcard", "x/y", "together/x/y"),
    ],
)
def test_finds_every_spelling(requested: str, reason: str, upstream: str, name: str) -> None:
    resolved = resolve_model(TABLES, requested)
    assert (resolved.reason, resolved.upstream_model, resolved.name) == (reason, upstream, name)


@pytest.mark.parametrize(
    "requested",
    ["gpt", "openai/", "openai/x", "/gpt-4o", "together/", "together/hidden", "together/ä", "together/" + "x" * 201, "*"],
)
def test_nothing_else_exists(requested: str) -> None:
    with pytest.raises(UnknownModel, match="does not exist") as caught:
        resolve_model(TABLES, requested)
    assert len(caught.value.public_message) < 300


@pytest.mark.parametrize("requested", [None, ""])
def test_a_missing_model_needs_a_default(requested: str | None) -> None:
    with pytest.raises(MalformedBody, match="no default model") as caught:
        resolve_model(TABLES, requested)
    assert (caught.value.status, caught.value.param) == (400, "model")
    assert resolve_model(ModelTables(default=GPT), requested).model is GPT


@pytest.mark.parametrize("requested", [1, True, ["a"], {"a": 1}])
def test_a_model_is_a_string(requested: object) -> None:
    with pytest.raises(MalformedBody, match="must be a string"):
        resolve_model(TABLES, requested)


@pytest.mark.parametrize("requested", ["together/..", "together/.", "together/../../admin", "..", "./gpt-4o"])
def test_no_model_leads_out_of_its_path(requested: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        resolve_model(TABLES, requested)
    assert (caught.value.status, caught.value.param) == (400, "model")


def test_models_share_an_alias_by_weight_and_one_request_always_meets_the_same() -> None:
    other = Model(name="openai/mini", upstream_model="mini", provider="openai")
    tables = ModelTables(aliases={"both": GPT}, splits={"both": (Share(GPT, 9), Share(other, 10))})
    chosen = [resolve_model(tables, "both", request_id=f"request-{number}") for number in range(1000)]
    assert 70 < sum(resolved.model is other for resolved in chosen) < 130
    assert {resolved.reason for resolved in chosen} == {"split_alias"}
    assert len({resolve_model(tables, "both", request_id="request-1").name for _ in range(10)}) == 1


OPENAI = Model(name="openai/*", upstream_model="", provider="openai")
AZURE = Model(name="azure/*", upstream_model="", provider="azure")
OWN = ModelTables(
    own_ids=(("gpt-", OPENAI), ("o1-", OPENAI), ("gpt-35-", AZURE)), hidden=frozenset({"openai/gpt-hidden"}), wildcards={}
)


@pytest.mark.parametrize("requested", ["gpt-4o", "o1", "o1-mini"])
def test_a_bare_id_means_the_only_provider_that_has_such(requested: str) -> None:
    resolved = resolve_model(OWN, requested)
    assert (resolved.name, resolved.upstream_model, resolved.reason) == (f"openai/{requested}", requested, "bare_id")


@pytest.mark.parametrize("requested", ["gpt-35-turbo", "gpt-hidden", "o12", "claude-x", "gpt-ä", "x/gpt-4o"])
def test_a_bare_id_that_two_or_none_have_is_unknown(requested: str) -> None:
    with pytest.raises(UnknownModel):
        resolve_model(OWN, requested)
