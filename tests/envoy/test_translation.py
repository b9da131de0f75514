"""What the translated listeners, routes and clusters do in a real Envoy, with a stand-in for ext_proc."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import pytest_asyncio

from control_plane import ir
from control_plane.xds import translate
from ext_proc.events import Reply, Respond
from protos.contract.headers import (
    AGENT_HEADER,
    DECISION_HEADER,
    LOCAL_REPLY_HEADER,
    MODEL_HEADER,
    REQUEST_ID_HEADER,
    ROUTE_HEADER,
)
from protos.contract.stages import LISTENER_METADATA
from tests.kit import envoy, gateways
from tests.kit.decider import StreamRequest, to_route
from tests.kit.lab import Lab, lab
from tests.kit.stub_upstream import Answer, Received

pytestmark = pytest.mark.xdist_group("envoy-translation")

CHAT, MESSAGES = "/v1/chat/completions", "/v1/messages"
SPOOFED = {"server": "upstream", MODEL_HEADER: "spoofed", LOCAL_REPLY_HEADER: "UF"}


def decide(asked: StreamRequest) -> Reply:
    if want := asked.headers.get("x-refuse"):
        body = json.dumps({"mine": want}).encode()
        return Respond(status=int(want), headers={"content-type": "application/json"}, body=body, details="filter_rejected")
    if asked.metadata[LISTENER_METADATA] == "agents":
        return to_route(asked.headers.get("x-go", "agent/weather"), agent="weather", decision="only_agent")
    return to_route("model/openai/gpt-4o", model="openai/gpt-4o")


async def behave(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
    match request.headers.get("x-upstream", ""):
        case "cut":
            return None
        case "silent":
            await asyncio.Event().wait()
        case "":
            seen = {"path": request.path, "headers": request.headers, "body": request.body.decode()}
            return Answer(200, json.dumps(seen).encode(), SPOOFED)
        case status:
            return Answer(int(status))
    return None


def quick(gateway: ir.Gateway) -> ir.Gateway:
    """Shorten the wait for an upstream's headers."""
    listeners = tuple(
        replace(listener, routes=tuple(replace(route, response_timeout_seconds=0.2) for route in listener.routes))
        for listener in gateway.listeners
    )
    return replace(gateway, listeners=listeners)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncIterator[Lab]:
    async with lab(decide, behave, change=quick) as made:
        yield made


module = pytest.mark.asyncio(loop_scope="module")


@module
async def test_a_client_cannot_say_what_only_the_gateway_may(running: Lab) -> None:
    headers = {ROUTE_HEADER: "model/openai/gpt-4o", "authorization": "Bearer client"}
    answer = await running.agents.post(f"{CHAT}?api-version=1", json={"a": 1}, headers=headers)
    seen = answer.json()
    assert seen["path"] == f"{CHAT}?api-version=1"
    assert seen["body"] == '{"a":1}'
    assert seen["headers"]["host"] == "upstream.example"
    assert seen["headers"]["authorization"] == "Bearer client"
    assert not {name for name in seen["headers"] if name.startswith("x-plano-")}
    assert ROUTE_HEADER not in running.decider.asked[-1].headers


@module
async def test_a_provider_gets_the_gateways_key_and_not_the_clients(running: Lab) -> None:
    headers = {"authorization": "Bearer client", "x-api-key": "client", "cookie": "a=b"}
    answer = await running.models.post(CHAT, json={}, headers=headers)
    seen = answer.json()["headers"]
    assert seen["authorization"] == "Bearer sk-gateway"
    assert seen["x-version"] == "1"
    assert not {"x-api-key", "cookie", "x-forwarded-for"} & set(seen)


@module
async def test_a_default_header_yields_to_the_clients(running: Lab) -> None:
    answer = await running.models.post(CHAT, json={}, headers={"x-version": "2"})
    assert answer.json()["headers"]["x-version"] == "2"


@module
async def test_every_attempt_carries_the_key(running: Lab) -> None:
    before = len(running.upstream.received)
    answer = await running.models.post(CHAT, json={}, headers={"x-upstream": "503"})
    attempts = running.upstream.received[before:]
    assert answer.status_code == 503
    assert [attempt.headers["authorization"] for attempt in attempts] == ["Bearer sk-gateway"] * 2


@module
async def test_a_trusted_caller_decides_about_retries(running: Lab) -> None:
    before = len(running.upstream.received)
    await running.models.post(CHAT, json={}, headers={"x-upstream": "503", "x-envoy-max-retries": "3"})
    assert len(running.upstream.received) - before == 4


@module
async def test_the_key_is_not_in_the_config_dump(running: Lab) -> None:
    dump = (await running.envoy.admin.get("/config_dump?include_eds")).text
    assert "secret/model/openai/gpt-4o/authorization" in dump
    assert "sk-gateway" not in dump


@module
async def test_the_answer_says_who_answered_and_nobody_else_may(running: Lab) -> None:
    answer = await running.agents.post(CHAT, json={})
    assert answer.headers[AGENT_HEADER] == "weather"
    assert answer.headers[DECISION_HEADER] == "only_agent"
    assert MODEL_HEADER not in answer.headers
    assert LOCAL_REPLY_HEADER not in answer.headers
    assert REQUEST_ID_HEADER in answer.headers


@module
async def test_a_request_without_a_body_is_decided_too(running: Lab) -> None:
    answer = await running.agents.get("/v1/models")
    assert (answer.status_code, answer.json()["path"]) == (200, "/v1/models")


@module
@pytest.mark.parametrize("status", [400, 404, 429, 503])
async def test_a_refusal_of_ext_proc_reaches_the_client_unchanged(running: Lab, status: int) -> None:
    answer = await running.agents.post(CHAT, json={}, headers={"x-refuse": str(status)})
    assert (answer.status_code, answer.json()) == (status, {"mine": str(status)})
    assert answer.headers["content-type"] == "application/json"


@module
async def test_an_upstreams_own_error_is_left_alone(running: Lab) -> None:
    answer = await running.agents.post(CHAT, json={}, headers={"x-upstream": "502"})
    assert (answer.status_code, answer.text) == (502, "{}")


@module
@pytest.mark.parametrize(
    ("headers", "body", "status", "code", "anthropic"),
    [
        ({"x-go": "agent/nobody"}, b"{}", 404, "unknown_url", "not_found_error"),
        ({"x-upstream": "cut"}, b"{}", 503, "upstream_unavailable", "overloaded_error"),
        ({"x-upstream": "silent"}, b"{}", 504, "upstream_timeout", "timeout_error"),
        ({}, b"x" * (2 << 20), 413, "request_too_large", "request_too_large"),
    ],
    ids=["no-route", "cut", "silent", "too-large"],
)
async def test_envoys_own_errors_have_the_shape_of_the_clients_api(
    running: Lab, headers: dict[str, str], body: bytes, status: int, code: str, anthropic: str
) -> None:
    headers = {"content-type": "application/json"} | headers
    openai = await running.agents.post(CHAT, content=body, headers=headers)
    assert (openai.status_code, openai.headers["content-type"]) == (status, "application/json")
    error = openai.json()["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == code
    messages = await running.agents.post(MESSAGES, content=body, headers=headers)
    assert messages.status_code == status
    assert messages.json() == {"type": "error", "error": {"type": anthropic, "message": error["message"]}}


@module
async def test_an_error_of_envoy_names_the_agent_that_failed(running: Lab) -> None:
    answer = await running.agents.post(CHAT, json={}, headers={"x-upstream": "cut"})
    assert answer.headers[AGENT_HEADER] == "weather"


@module
async def test_a_body_as_large_as_allowed_passes(running: Lab) -> None:
    answer = await running.agents.post(CHAT, content=b"x" * (1 << 20), headers={"content-type": "application/json"})
    assert answer.status_code == 200


@module
async def test_the_egress_listener_takes_the_callers_route(running: Lab) -> None:
    answer = await running.egress.post(CHAT, json={}, headers={ROUTE_HEADER: "model/openai/gpt-4o"})
    assert answer.json()["headers"]["authorization"] == "Bearer sk-gateway"
    assert LOCAL_REPLY_HEADER not in answer.headers


@module
@pytest.mark.parametrize(
    ("headers", "status", "flag"),
    [
        ({ROUTE_HEADER: "nothing"}, 404, "-"),
        ({ROUTE_HEADER: "agent/weather", "x-upstream": "cut"}, 503, "UC"),
    ],
)
async def test_the_egress_listener_marks_its_own_errors(running: Lab, headers: dict[str, str], status: int, flag: str) -> None:
    answer = await running.egress.post(CHAT, json={}, headers=headers)
    assert answer.status_code == status
    assert flag in answer.headers[LOCAL_REPLY_HEADER].split(",")


@module
async def test_the_egress_listener_obeys_timeouts_of_its_callers(running: Lab) -> None:
    headers = {ROUTE_HEADER: "agent/weather", "x-upstream": "silent", "x-envoy-upstream-rq-timeout-ms": "50"}
    answer = await running.egress.post(CHAT, json={}, headers=headers)
    assert answer.status_code == 504
    assert "UT" in answer.headers[LOCAL_REPLY_HEADER]


@module
async def test_health_is_told_without_asking_ext_proc(running: Lab) -> None:
    asked = len(running.decider.asked)
    answers = [await client.get("/healthz") for client in (running.agents, running.models)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert len(running.decider.asked) == asked


@module
async def test_the_access_log_tells_what_happened_and_no_secret(running: Lab) -> None:
    await running.agents.post(f"{CHAT}?key=secret", json={}, headers={"x-request-id": "log-me"})
    line = await logged(running, "log-me")
    assert line.items() >= {
        "listener": "listener/agents", "method": "POST", "path": CHAT, "status": 200, "route": "agent/weather",
        "agent": "weather", "model": None, "decision": "only_agent", "attempts": 1, "upstream_cluster": "agent/weather",
        "flags": "-", "status_details": "via_upstream",
    }.items()  # fmt: skip
    text = running.access_log.read_text()
    assert "secret" not in text
    assert "healthz" not in text


async def logged(running: Lab, request_id: str) -> dict[str, object]:
    """Wait until Envoy has written a request's line."""
    async with asyncio.timeout(10):
        while True:
            lines = map(json.loads, running.access_log.read_text().splitlines())
            found = next((line for line in lines if line["request_id"] == request_id), None)
            if found is not None:
                return dict(found)
            await asyncio.sleep(0.05)


def test_envoy_accepts_everything_without_a_word_about_deprecation(tmp_path: Path) -> None:
    envoy.validate(translate(gateways.gateway()), tmp_path)
