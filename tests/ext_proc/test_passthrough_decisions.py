"""Requests of APIs that pass: who may send them, and what filters cannot see."""

import pytest

from ext_proc.events import Continue, Reply, RequestBody, Respond
from protos.filter_config_pb2 import FilterConfig
from tests.kit.filter_configs import filter_config
from tests.kit.transactions import head, new_transaction

FORM = b'--x\r\ncontent-disposition: form-data; name="model"\r\n\r\nopenai/gpt-4o\r\n--x--'


def passing() -> FilterConfig:
    config = filter_config()
    for model in config.models:
        if model.provider == "openai":
            for api in ("audio", "files", "batches"):
                model.routes.add(api=api, route=f"model/{model.name}", path=f"/v1/{api}")
    config.callers.add(name="one", restricts_models=True, models=["openai/gpt-4o"])
    config.callers.add(name="all", restricts_models=True, models=["openai/*"])
    return config


async def decide(path: str, body: bytes = b"", *, listener: str = "models", method: str = "POST", **headers: str) -> Reply:
    transaction = new_transaction(listener, config=passing())
    begun = await transaction.handle(head(path, method, ends_stream=not body, **headers))
    return await transaction.handle(RequestBody(body)) if body and isinstance(begun, Continue) else begun


async def test_a_request_without_a_body_is_decided_by_its_head() -> None:
    reply = await decide("/v1/files/a/content?x=1", method="GET", x_plano_model="openai/gpt-4o-mini")
    assert isinstance(reply, Continue)
    assert reply.set_headers == {"x-plano-route": "model/openai/gpt-4o-mini", ":path": "/v1/files/a/content?x=1"}
    assert (reply.metadata["api"], reply.metadata["entry"]) == ("files", "openai/gpt-4o-mini")
    assert "expects" not in reply.metadata


async def test_the_body_says_who_is_asked_before_the_header_does() -> None:
    form = "multipart/form-data; boundary=x"
    reply = await decide("/v1/audio/transcriptions", FORM, content_type=form, x_plano_model="openai/gpt-4o-mini")
    assert isinstance(reply, Continue)
    assert reply.set_headers["x-plano-route"] == "model/openai/gpt-4o"
    assert reply.body == FORM.replace(b"openai/", b"")


async def test_filters_that_cannot_see_a_form_do_not_let_it_pass() -> None:
    form = "multipart/form-data; boundary=x"
    reply = await decide("/v1/audio/transcriptions", FORM, listener="guarded", content_type=form)
    assert isinstance(reply, Respond)
    assert (reply.status, b"input filters" in reply.body) == (400, True)


@pytest.mark.parametrize(("caller", "passes"), [("one", False), ("all", True)])
async def test_what_may_name_any_model_is_for_those_who_may_use_all(caller: str, *, passes: bool) -> None:
    reply = await decide("/v1/batches", method="GET", x_plano_caller=caller)
    assert isinstance(reply, Continue if passes else Respond)
    assert passes or (isinstance(reply, Respond) and reply.status == 403)


async def test_a_post_without_a_body_is_refused_but_where_none_is_needed() -> None:
    assert isinstance(await decide("/v1/batches/b/cancel"), Continue)
    refused = await decide("/v1/batches")
    assert isinstance(refused, Respond)
    assert refused.status == 400
