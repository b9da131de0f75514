"""Playbooks of MCP filters, and properties of what is read from them."""

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.errors import FilterFailed, FilterRejected, GatewayError
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filter import Filter
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.mcp_filter import read_tool_reply
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import EgressResponse
from tests.unit.ext_proc.filters.recording_egress import Post, RecordingEgress, local_reply, reply

BODY = b'{"big": 123456789012345678901234567890, "messages": []}'
GUARD = Filter(id="guard", type="mcp", route="filter/guard", tool="input_guards", timeout_seconds=2)
ACCEPTED = EgressResponse(202, {}, b"")


def result(value: dict[str, Any], request_id: int = 2, status: int = 200) -> EgressResponse:
    return reply({"jsonrpc": "2.0", "id": request_id, "result": value}, status)


def structured(value: object) -> EgressResponse:
    return result({"content": [], "structuredContent": value})


def hello(session_id: str = "s1", revision: str = "2025-11-25") -> EgressResponse:
    said = result({"protocolVersion": revision, "capabilities": {}}, request_id=1)
    return EgressResponse(200, {**said.headers, "mcp-session-id": session_id} if session_id else said.headers, said.body)


async def run(egress: RecordingEgress, *, sessions: McpSessions | None = None, guard: Filter = GUARD) -> Any:
    request = FilteredRequest(path="/v1/messages", headers={"authorization": "Bearer c", "x-request-id": "r"}, body=BODY)
    return orjson.loads(await run_chain([guard], request, egress=egress, sessions=sessions or McpSessions()))


def methods(posts: list[Post]) -> list[str]:
    return [post.json["method"] for post in posts]


async def test_a_first_request_shakes_hands_and_calls_the_tool() -> None:
    egress = RecordingEgress([hello(), ACCEPTED, structured({"messages": ["new"]})])
    assert await run(egress) == {"messages": ["new"]}
    first, second, third = egress.posts
    assert methods(egress.posts) == ["initialize", "notifications/initialized", "tools/call"]
    assert first.json["params"]["clientInfo"]["name"] == "plano-gateway"
    assert first.json["params"]["protocolVersion"] == "2025-11-25"
    assert "id" not in second.json
    assert third.json["params"]["name"] == "input_guards"
    assert third.json["params"]["arguments"]["path"] == "/v1/messages"
    assert b'"body":' + BODY in third.body
    assert {post.route for post in egress.posts} == {"filter/guard"}
    assert {post.path for post in egress.posts} == {"/mcp"}
    for post in (second, third):
        assert (post.headers["mcp-session-id"], post.headers["mcp-protocol-version"]) == ("s1", "2025-11-25")
    assert all("authorization" not in post.headers and post.headers["x-request-id"] == "r" for post in egress.posts)


async def test_a_session_is_kept_between_requests() -> None:
    egress, sessions = RecordingEgress([hello(), ACCEPTED, structured({}), structured({})]), McpSessions()
    await run(egress, sessions=sessions)
    await run(egress, sessions=sessions)
    assert methods(egress.posts)[3:] == ["tools/call"]


async def test_a_session_is_never_shared_between_clients_whose_credentials_go_along() -> None:
    guard = Filter(id="guard", type="mcp", route="filter/guard", passthrough_auth=True)
    egress, sessions = RecordingEgress([hello(), ACCEPTED, structured({})] * 2), McpSessions()
    await run(egress, sessions=sessions, guard=guard)
    await run(egress, sessions=sessions, guard=guard)
    assert methods(egress.posts).count("initialize") == 2
    assert all(post.headers["authorization"] == "Bearer c" for post in egress.posts)


async def test_a_server_without_sessions_works() -> None:
    egress = RecordingEgress([hello(session_id=""), ACCEPTED, structured({"a": 1})])
    assert await run(egress) == {"a": 1}
    assert "mcp-session-id" not in egress.posts[2].headers


@pytest.mark.parametrize("lost", [reply(b"", 404), reply({"error": {"message": "Missing session ID"}}, 400)])
async def test_a_lost_session_is_opened_anew_once(lost: EgressResponse) -> None:
    sessions = McpSessions()
    await run(RecordingEgress([hello(), ACCEPTED, structured({})]), sessions=sessions)
    egress = RecordingEgress([lost, hello("s2"), ACCEPTED, structured({"a": 2})])
    assert await run(egress, sessions=sessions) == {"a": 2}
    assert egress.posts[3].headers["mcp-session-id"] == "s2"
    egress = RecordingEgress([lost, hello("s3"), ACCEPTED, reply(b"", 404)])
    with pytest.raises(FilterFailed):
        await run(egress, sessions=sessions)


async def test_an_older_server_names_its_revision() -> None:
    egress = RecordingEgress([hello(revision="2024-11-05"), ACCEPTED, structured({})])
    await run(egress)
    assert egress.posts[2].headers["mcp-protocol-version"] == "2024-11-05"


async def test_a_server_that_refuses_the_newest_revision_is_offered_the_oldest() -> None:
    refusal = reply({"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Unsupported protocol version"}}, 400)
    egress = RecordingEgress([refusal, hello(revision="2024-11-05"), ACCEPTED, structured({"a": 1})])
    assert await run(egress) == {"a": 1}
    assert egress.posts[1].json["params"]["protocolVersion"] == "2024-11-05"


async def test_the_urls_path_and_the_filters_id_are_the_defaults() -> None:
    guard = Filter(id="guard", type="mcp", route="r", path="/tools/mcp")
    egress = RecordingEgress([hello(), ACCEPTED, structured({})])
    await run(egress, guard=guard)
    assert egress.posts[2].path == "/tools/mcp"
    assert egress.posts[2].json["params"]["name"] == "guard"


def sse(*messages: object) -> EgressResponse:
    events = b": ping\r\n\r\n" + b"".join(
        b"event: message\r\ndata:" + orjson.dumps(message) + b"\r\n\r\n" for message in messages
    )
    return EgressResponse(200, {"content-type": "text/event-stream; charset=utf-8"}, events)


@pytest.mark.parametrize(
    "answer",
    [
        structured({"a": 1}),
        structured({"result": {"a": 1}}),
        structured({"result": '{"a": 1}'}),
        result({"content": [{"type": "text", "text": '{"a": 1}'}], "isError": False}),
        sse(
            {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}},
            {"jsonrpc": "2.0", "id": 7, "result": {"structuredContent": {"other": 1}}},
            {"jsonrpc": "2.0", "id": 2, "result": {"structuredContent": {"a": 1}}},
        ),
        reply([{"jsonrpc": "2.0", "id": 2, "result": {"structuredContent": {"a": 1}}}]),
    ],
)
def test_every_form_of_a_result_is_read(answer: EgressResponse) -> None:
    assert orjson.loads(read_tool_reply(GUARD, answer)) == {"a": 1}


def test_an_object_with_more_than_a_result_is_the_body_itself() -> None:
    body = {"result": {"a": 1}, "messages": []}
    assert orjson.loads(read_tool_reply(GUARD, structured(body))) == body


def error_result(text: str, **more: object) -> EgressResponse:
    return result({"content": [{"type": "text", "text": text}], "isError": True, **more})


@pytest.mark.parametrize(
    ("answer", "status", "message"),
    [
        (error_result("Error executing tool input_guards: Only travel."), 400, "Only travel."),
        (error_result('{"error": {"message": "Slow down", "status": 429}}'), 429, "Slow down"),
        (error_result("no", structuredContent={"status": 403}), 403, "no"),
        (error_result("no", structuredContent={"status": 500}), 400, "no"),
        (result({"isError": True}), 400, "Filter 'guard' rejected the request."),
        (reply({"detail": "who are you"}, 401), 401, "who are you"),
    ],
)
def test_a_tools_error_rejects_the_request(answer: EgressResponse, status: int, message: str) -> None:
    with pytest.raises(FilterRejected) as caught:
        read_tool_reply(GUARD, answer)
    assert (caught.value.status, caught.value.public_message) == (status, message)
    assert caught.value.extra["agent"] == "guard"
    assert caught.value.extra["status"] == status


@pytest.mark.parametrize(
    ("answer", "status"),
    [
        (error_result("Unknown tool: input_guards"), 502),
        (error_result("Error executing tool input_guards: 1 validation error for input_guardsArguments\nq\n  Field"), 502),
        (reply({"jsonrpc": "2.0", "id": 2, "error": {"code": -32601, "message": "nope"}}), 502),
        (reply({"jsonrpc": "2.0", "id": None, "error": {"code": -32600, "message": "nope"}}, 400), 502),
        (reply(b"<html>", 404), 502),
        (reply(b"<html>", 405), 502),
        (reply(b"<html>"), 502),
        (reply({"jsonrpc": "2.0", "id": 9, "result": {}}), 502),
        (result({}), 502),
        (result({"content": [{"type": "text", "text": "[1]"}]}), 502),
        (structured({"result": "not json"}), 502),
        (reply(b"", 500), 502),
        (local_reply(503, "UF"), 503),
        (local_reply(504, "UT"), 504),
    ],
)
def test_a_filter_that_does_not_work_is_not_the_clients_fault(answer: EgressResponse, status: int) -> None:
    with pytest.raises(FilterFailed) as caught:
        read_tool_reply(GUARD, answer)
    assert caught.value.status == status


@pytest.mark.parametrize(
    "answer",
    [
        hello(session_id="a b"),
        hello(session_id="x" * 5_000),
        hello(revision="new\nline"),
        result({}, request_id=1),
        reply(b"", 404),
    ],
)
async def test_a_handshake_that_makes_no_sense_fails(answer: EgressResponse) -> None:
    with pytest.raises(FilterFailed):
        await run(RecordingEgress([answer]))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 600) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "result", "error", "content", "structuredContent", "isError", "text", "status", "code", "message"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=15,
)


@given(JSON, st.sampled_from(["application/json", "text/event-stream", ""]), st.integers(100, 599), st.booleans())
def test_any_json_is_a_body_or_a_gateway_error(value: object, content_type: str, status: int, as_event: bool) -> None:
    document = orjson.dumps({"id": 2, "result": value} if status % 2 else value)
    body = b"data: " + document + b"\n\n" if as_event else document
    assert _is_body_or_error(EgressResponse(status, {"content-type": content_type}, body))


@given(st.binary(max_size=80), st.sampled_from(["application/json", "text/event-stream"]))
def test_any_bytes_are_a_body_or_a_gateway_error(body: bytes, content_type: str) -> None:
    assert _is_body_or_error(EgressResponse(200, {"content-type": content_type}, body))


def _is_body_or_error(answer: EgressResponse) -> bool:
    try:
        return isinstance(orjson.loads(read_tool_reply(GUARD, answer)), dict)
    except GatewayError as error:
        return error.status in range(400, 505)
