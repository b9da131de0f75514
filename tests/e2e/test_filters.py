"""Input filters of a whole gateway: HTTP and MCP in one chain, in order, and what becomes of a request that they stop."""

import json
from typing import Any

import pytest

from tests.e2e.stage import Stage
from tests.e2e.test_agents import EACH_API, RAIN, shape_of
from tests.kit.actor import cut, silence
from tests.kit.plano_up import CHAT, MESSAGES
from tests.kit.stub_upstream import Answer

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e-stage")]

CREDENTIALS = {"authorization": "Bearer client", "x_api_key": "client", "cookie": "a=client", "x_access_token": "client"}


def saying(text: str, **fields: Any) -> dict[str, Any]:
    return {"model": "fast", "messages": [{"role": "user", "content": text}], **fields}


def changed(**fields: Any) -> Answer:
    return Answer(body=json.dumps(saying("changed", **fields)).encode())


@pytest.mark.parametrize(("path", "body"), EACH_API)
async def test_each_filter_sees_what_the_one_before_left_and_the_agent_the_last(stage: Stage, path: str, body: bytes) -> None:
    stage.guard.plays(changed(seen=["guard"]))
    stage.audit.plays(changed(seen=["audit"]))
    answer = await stage.gateway.post("filtered", body, path)
    assert answer.json() == {"from": "weather"}
    assert (stage.guard.last.path, stage.guard.last.body) == (f"/guard{path}", body)
    assert stage.audit.last_json == saying("changed", seen=["guard", f"stamp at {path}"])
    assert (stage.weather.last.path, stage.weather.last_json) == (path, saying("changed", seen=["audit"]))
    assert int(stage.weather.last.headers["content-length"]) == len(stage.weather.last.body)


async def test_filters_that_change_nothing_leave_every_byte(stage: Stage) -> None:
    await stage.gateway.post("models", b'{ "model":"gpt-4o",  "messages":[], "n":1.0 }')
    assert stage.guard.last.body == stage.provider.last.body == b'{ "model":"gpt-4o",  "messages":[], "n":1.0 }'


async def test_the_model_listeners_filters_change_what_the_provider_sees(stage: Stage) -> None:
    stage.guard.plays(changed(extra=[1.5]))
    answer = await stage.gateway.post("models", saying("secret thing", model="fast"))
    assert answer.json() == {"from": "provider"}
    assert stage.provider.last_json == saying("changed", extra=[1.5]) | {"model": "gpt-4o"}


@pytest.mark.parametrize("listener", ["filtered", "models"])
async def test_clients_credentials_are_not_for_filters(stage: Stage, listener: str) -> None:
    answer = await stage.gateway.post(listener, saying("hi"), x_tenant="blue", **CREDENTIALS)
    assert answer.status_code == 200
    assert "client" not in str(stage.guard.last.headers.values())
    assert stage.guard.last.headers["x-tenant"] == "blue"


async def test_a_filter_that_asks_for_credentials_gets_them(stage: Stage) -> None:
    await stage.gateway.post("filtered", saying("hi"), **CREDENTIALS)
    seen = stage.audit.last.headers
    assert (seen["authorization"], seen["x-api-key"], seen["cookie"]) == ("Bearer client", "client", "a=client")


@pytest.mark.parametrize("listener", ["filtered", "models"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("status", [400, 401, 403, 429])
async def test_a_filter_refuses(stage: Stage, listener: str, path: str, status: int) -> None:
    stage.guard.plays(Answer(status, b'{"error": {"message": "Only travel, please."}}'))
    body = saying("hi", model="openai/gpt-4o" if path == CHAT else "anthropic/claude", max_tokens=5)
    answer = await stage.gateway.post(listener, body, path)
    said = answer.json()
    beside = {name: said.pop(name) for name in ("agent", "status", "agent_response")}
    assert (answer.status_code, said["error"]["message"]) == (status, "Only travel, please.")
    assert shape_of(said) == ("anthropic" if path == MESSAGES else "openai")
    assert (beside["agent"], beside["status"]) == ("guard", status)
    assert stage.audit.received == stage.weather.received == stage.provider.received == []
    assert len(stage.guard.received) == 1, "a filter may keep state: not asked twice"


async def test_an_mcp_filter_refuses(stage: Stage) -> None:
    answer = await stage.gateway.post("filtered", saying("forbidden"))
    assert (answer.status_code, answer.json()["error"]["message"]) == (400, "That is forbidden here.")
    assert answer.json()["agent"] == "stamp"
    assert len(stage.guard.received) == 1
    assert stage.audit.received == stage.weather.received == []


@pytest.mark.parametrize("listener", ["filtered", "models"])
@pytest.mark.parametrize(
    ("plays", "status"),
    [
        (Answer(500, b"Traceback: secret"), 502),
        (Answer(503, b"busy"), 502),
        (Answer(302, b"", {"location": "http://elsewhere"}), 502),
        (Answer(200, b"not JSON"), 502),
        (Answer(200, b"[1]"), 502),
        (cut, 503),
        (silence, 504),
    ],
    ids=["500", "503", "302", "not-json", "not-an-object", "cut", "silent"],
)
async def test_a_filter_fails(stage: Stage, listener: str, plays: Answer, status: int) -> None:
    stage.guard.plays(plays)
    answer = await stage.gateway.post(listener, saying("hi"))
    assert (answer.status_code, shape_of(answer.json())) == (status, "openai")
    assert answer.json()["error"]["code"] == "filter_failed"
    assert "'guard'" in answer.json()["error"]["message"]
    assert "secret" not in answer.text
    assert stage.weather.received == stage.provider.received == []


@pytest.mark.parametrize("listener", ["filter_down", "mcp_down"])
@pytest.mark.parametrize("path", [CHAT, MESSAGES])
async def test_a_filter_that_is_not_there(stage: Stage, listener: str, path: str) -> None:
    answer = await stage.gateway.post(listener, RAIN, path)
    assert (answer.status_code, shape_of(answer.json())) == (503, "anthropic" if path == MESSAGES else "openai")
    assert stage.weather.received == []
