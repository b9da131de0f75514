import orjson

from ext_proc.plan.model_list import in_messages_shape, render_model, render_models
from ext_proc.routing.models.model import Model

GPT = Model(name="openai/gpt-4o", upstream_model="gpt-4o", provider="openai")
ANY = Model(name="together/*", upstream_model="", provider="together")
HIDDEN = Model(name="plano/orchestrator", upstream_model="o", provider="plano", is_internal=True)


def test_lists_what_clients_may_write_in_a_fixed_order() -> None:
    listed = orjson.loads(render_models([HIDDEN, GPT, ANY], {"fast": GPT, "best": GPT}))
    assert listed["object"] == "list"
    assert [(entry["id"], entry["owned_by"]) for entry in listed["data"]] == [
        ("best", "openai"),
        ("fast", "openai"),
        ("openai/gpt-4o", "openai"),
    ]
    assert {(entry["object"], entry["created"]) for entry in listed["data"]} == {("model", 0)}


def test_clients_of_messages_read_another_shape() -> None:
    listed = orjson.loads(in_messages_shape(render_models([GPT], {"fast": GPT})))
    assert (listed["first_id"], listed["last_id"], listed["has_more"]) == ("fast", "openai/gpt-4o", False)
    assert listed["data"][0] == orjson.loads(in_messages_shape(render_model("fast", "openai")))
    assert listed["data"][0].keys() == {"type", "id", "display_name", "created_at"}
    assert orjson.loads(in_messages_shape(render_models([], {})))["first_id"] is None


def test_a_wildcard_is_listed_as_the_models_with_prices_that_it_covers() -> None:
    prices = ["together/*", "together/llama/70b", "openai/gpt-4o", "openai/gpt-5", "plano/orchestrator"]
    listed = orjson.loads(render_models([HIDDEN, GPT, ANY], {"fast": GPT}, prices))
    assert [(entry["id"], entry["owned_by"]) for entry in listed["data"]] == [
        ("fast", "openai"),
        ("openai/gpt-4o", "openai"),
        ("together/llama/70b", "together"),
    ]
    allowed = orjson.loads(render_models([GPT, ANY], {}, prices, lambda name: name.startswith("openai/")))
    assert [entry["id"] for entry in allowed["data"]] == ["openai/gpt-4o"]


def test_order_does_not_depend_on_the_configurations() -> None:
    other = Model(name="a/b", upstream_model="b", provider="a")
    assert render_models([GPT, other], {}) == render_models([other, GPT], {})
