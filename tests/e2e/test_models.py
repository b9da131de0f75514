"""The model listener of a whole gateway: which model is meant, and what its provider sees."""

import json

import pytest

from tests.e2e.stage import SECRETS, Stage
from tests.e2e.test_agents import shape_of
from tests.kit.actor import silence
from tests.kit.plano_up import CHAT, MESSAGES, RESPONSES
from tests.kit.stub_upstream import Answer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e-stage")]


@pytest.fixture(params=["decided", "native"])
def stage(request: pytest.FixtureRequest, _stage: Stage, _native_stage: Stage) -> Stage:
    """A gateway where ext_proc decides on calls of models, and one where plain ones never leave Envoy."""
    running = _native_stage if request.param == "native" else _stage
    running.reset()
    return running


def body_for(model: str) -> bytes:
    """Write a body that no JSON library would write: order, spaces, numbers and unknown fields must stay."""
    return (
        b'{ "zeta":1.0,"messages":[{"content":"\\u00e9","role":"user"}], "model" : "%s" ,"x_unknown":{"b":1,"a":[]}}'
        % model.encode()
    )


@pytest.mark.parametrize(
    ("asked", "found", "sent", "reason"),
    [
        ("openai/gpt-4o", "openai/gpt-4o", "gpt-4o", "exact"),
        ("gpt-4o", "openai/gpt-4o", "gpt-4o", "bare_id"),
        ("fast", "openai/gpt-4o", "gpt-4o", "alias"),
        ("faster", "openai/gpt-4o", "gpt-4o", "alias"),
        ("mistral/mistral-large", "mistral/mistral-large", "mistral-large", "wildcard"),
        ("groq/llama", "groq/llama", "llama", "exact"),
    ],
)
async def test_names_of_models(stage: Stage, asked: str, found: str, sent: str, reason: str) -> None:
    answer = await stage.gateway.post("models", body_for(asked), authorization="Bearer client")
    assert answer.json() == {"from": "provider"}
    assert answer.headers["x-plano-model"] == found
    assert answer.headers["x-plano-decision"] == (f"{reason}; native" if stage.is_native else reason)
    assert stage.provider.last.body == body_for(asked).replace(f'"{asked}"'.encode(), f'"{sent}"'.encode())


async def test_without_a_model_the_default_answers(stage: Stage) -> None:
    answer = await stage.gateway.post("models", b'{"messages":[{"role":"user","content":"hi"}], "n":1.0}')
    assert (answer.headers["x-plano-model"], answer.headers["x-plano-decision"]) == ("openai/gpt-4o", "default")
    assert stage.provider.last_json["model"] == "gpt-4o"
    assert b'"n":1.0' in stage.provider.last.body


@pytest.mark.parametrize("path", [CHAT, RESPONSES])
async def test_an_unknown_model(stage: Stage, path: str) -> None:
    answer = await stage.gateway.post("models", {"model": "nobody/knows", "messages": [], "input": "hi"}, path)
    assert answer.status_code == 404
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("invalid_request_error", "model_not_found", "model")
    assert "`nobody/knows`" in error["message"]
    assert stage.provider.received == []


async def test_an_unknown_model_in_anthropics_words(stage: Stage) -> None:
    answer = await stage.gateway.post("models", {"model": "nobody/knows", "messages": []}, MESSAGES)
    assert (answer.status_code, answer.json()["error"]["type"]) == (404, "not_found_error")
    assert shape_of(answer.json()) == "anthropic"


@pytest.mark.parametrize(
    ("model", "path", "seen_path", "host", "header", "key"),
    [
        ("openai/gpt-4o", CHAT, CHAT, "", "authorization", "Bearer {OPENAI_KEY}"),
        ("openai/gpt-4o", RESPONSES, RESPONSES, "", "authorization", "Bearer {OPENAI_KEY}"),
        ("openai/text-embedding-3-small", "/v1/embeddings", "/v1/embeddings", "", "authorization", "Bearer {OPENAI_KEY}"),
        ("groq/llama", CHAT, "/openai/v1/chat/completions", "groq.example", "authorization", "Bearer {GROQ_KEY}"),
        ("mistral/tiny", CHAT, "/eu/v1/chat/completions", "", "authorization", "Bearer {OPENAI_KEY}"),
        ("anthropic/claude", MESSAGES, MESSAGES, "", "x-api-key", "{ANTHROPIC_KEY}"),
        ("deepseek/mine", CHAT, CHAT, "", "authorization", "Bearer client"),
    ],
)
async def test_each_provider_sees_its_path_host_and_key(
    stage: Stage, model: str, path: str, seen_path: str, host: str, header: str, key: str
) -> None:
    body = {"model": model, "messages": [{"role": "user", "content": "hi"}], "input": "hi", "max_tokens": 5}
    credentials = {"authorization": "Bearer client", "x_api_key": "client-too", "cookie": "client=3"}
    answer = await stage.gateway.post("models", body, f"{path}?a=b", **credentials)
    assert answer.status_code == 200
    seen = stage.provider.last
    assert seen.path == f"{seen_path}?a=b"
    assert seen.headers["host"] == (host or f"127.0.0.1:{stage.provider.port}")
    assert seen.headers[header] == key.format(**SECRETS)
    assert not [name for name in seen.headers if name.startswith("x-plano-")]
    if model != "deepseek/mine":
        assert "client" not in str(seen.headers.values())
        assert not seen.headers.keys() & {"x-forwarded-for", "x-envoy-internal", "x-envoy-external-address"}


async def test_a_key_of_a_clients_own_goes_where_its_provider_looks_for_it(stage: Stage) -> None:
    body = {"model": "deepseek/mine", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    await stage.gateway.post("models", body, MESSAGES, x_api_key="sk-of-the-client")
    assert stage.provider.last.path == CHAT
    assert stage.provider.last.headers["authorization"] == "Bearer sk-of-the-client"


async def test_the_version_of_anthropics_api_is_the_clients_or_a_default(stage: Stage) -> None:
    body = {"model": "anthropic/claude", "messages": [{"role": "user", "content": "hi"}], "max_tokens": 5}
    for headers, version in (({}, "2023-06-01"), ({"anthropic_version": "2099-01-01"}, "2099-01-01")):
        await stage.gateway.post("models", body, MESSAGES, **headers)
        assert stage.provider.last.headers["anthropic-version"] == version


@pytest.mark.parametrize(("retries", "attempts"), [("0", 1), ("1", 2), ("3", 4), (None, 3)])
async def test_trusted_clients_say_how_often_to_try(stage: Stage, retries: str | None, attempts: int) -> None:
    stage.provider.plays(Answer(500, b'{"error": {"message": "broken"}}'))
    headers = {} if retries is None else {"x_envoy_max_retries": retries}
    answer = await stage.gateway.post("models", body_for("fast"), **headers)
    assert (answer.status_code, answer.json()) == (500, {"error": {"message": "broken"}})
    assert len(stage.provider.received) == attempts
    assert {request.body for request in stage.provider.received} == {body_for("fast").replace(b"fast", b"gpt-4o")}


async def test_a_second_attempt_succeeds_unnoticed(stage: Stage) -> None:
    stage.provider.plays(Answer(503), Answer(body=b'{"from": "second"}'))
    answer = await stage.gateway.post("models", body_for("fast"))
    assert (answer.status_code, answer.json()) == (200, {"from": "second"})


async def test_a_clients_own_time_bound(stage: Stage) -> None:
    stage.provider.plays(silence)
    headers = {"x_envoy_upstream_rq_timeout_ms": "200", "x_envoy_max_retries": "0"}
    answer = await stage.gateway.post("models", body_for("fast"), **headers)
    assert (answer.status_code, shape_of(answer.json())) == (504, "openai")


@pytest.mark.parametrize("status", [400, 401, 403, 404, 422])
async def test_a_providers_own_error_reaches_the_client_unchanged(stage: Stage, status: int) -> None:
    body = b'{ "error":{"message":"mine", "type":"x","param":null,"code":null} }'
    stage.provider.plays(Answer(status, body, {"x-request-cost": "3"}))
    answer = await stage.gateway.post("models", body_for("fast"))
    assert (answer.status_code, answer.content, answer.headers["x-request-cost"]) == (status, body, "3")
    assert len(stage.provider.received) == 1


async def test_a_provider_that_is_not_there(stage: Stage) -> None:
    answer = await stage.gateway.post("models", body_for("xai/gone"))
    assert (answer.status_code, shape_of(answer.json())) == (503, "openai")
    assert answer.headers["x-plano-model"] == "xai/gone"
    assert "127.0.0.1" not in answer.text


async def test_the_list_of_models(stage: Stage) -> None:
    answer = await stage.gateway.http.get(f"{stage.gateway.url('models')}/v1/models")
    ids = [model["id"] for model in answer.json()["data"]]
    assert answer.json()["object"] == "list"
    assert {"openai/gpt-4o", "groq/llama", "anthropic/claude", "fast", "faster"} <= set(ids)
    assert len(ids) == len(set(ids))
    assert not any(secret in answer.text for secret in SECRETS.values())


async def test_a_large_body_is_renamed_and_otherwise_kept(stage: Stage) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "x" * 900_000}], "model": "fast"}).encode()
    assert (await stage.gateway.post("models", body)).status_code == 200
    assert stage.provider.last.body == body.replace(b'"fast"', b'"gpt-4o"')
