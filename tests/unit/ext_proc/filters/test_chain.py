"""Playbooks of HTTP filters in a chain: what they are sent, and what becomes of their answers."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.errors import FilterFailed, FilterRejected, GatewayError
from ext_proc.filters.chain import run_chain
from ext_proc.filters.filter import Filter
from ext_proc.filters.filtered_request import FilteredRequest
from ext_proc.filters.http_filter import read_http_reply
from ext_proc.filters.mcp_session import McpSessions
from ext_proc.ports import TOO_LARGE, EgressResponse
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress, local_reply, reply

BODY = b'{"model": "m",  "messages": [{"role": "user", "content": "hi"}]}'
HEADERS = {
    ":path": "/v1/messages",
    "authorization": "Bearer client",
    "x-api-key": "sk-client",
    "x-goog-api-key": "g",
    "cookie": "c=1",
    "content-length": "64",
    "host": "gateway",
    "accept-encoding": "gzip",
    "transfer-encoding": "chunked",
    "x-request-id": "r-1",
    "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    "x-tenant": "acme",
    "x-note": "snowman ☃",
    "x-plano-route": "agent/a",
    "x-envoy-max-retries": "3",
}


def http_filter(filter_id: str, **more: object) -> Filter:
    return Filter(**({"id": filter_id, "type": "http", "route": f"filter/{filter_id}"} | more))  # type: ignore[arg-type]


async def run(egress: RecordingEgress, *filters: Filter, path: str = "/v1/messages") -> bytes:
    request = FilteredRequest(path=path, headers=HEADERS, body=BODY)
    return await run_chain(filters, request, egress=egress, sessions=McpSessions())


async def test_an_empty_chain_leaves_the_very_same_bytes() -> None:
    assert await run(RecordingEgress([])) is BODY


async def test_what_one_filter_leaves_is_what_the_next_sees() -> None:
    egress = RecordingEgress([reply({"messages": [1]}), reply({"messages": [2]})])
    left = await run(egress, http_filter("one", path="/anonymize", timeout_seconds=3), http_filter("two"))
    first, second = egress.posts
    assert (first.route, first.path, first.body, first.timeout_seconds) == ("filter/one", "/anonymize/v1/messages", BODY, 3)
    assert (second.route, second.path, second.json) == ("filter/two", "/v1/messages", {"messages": [1]})
    assert orjson.loads(left) == {"messages": [2]}


async def test_filters_see_no_credentials_and_nothing_that_steers() -> None:
    egress = RecordingEgress([reply({})])
    await run(egress, http_filter("one"))
    assert egress.posts[0].headers == {
        "x-request-id": "r-1",
        "traceparent": HEADERS["traceparent"],
        "x-tenant": "acme",
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
    }


async def test_credentials_go_along_when_asked_for() -> None:
    egress = RecordingEgress([reply({})])
    await run(egress, http_filter("one", passthrough_auth=True))
    sent = egress.posts[0].headers
    assert {"authorization", "x-api-key", "cookie", "x-goog-api-key"} <= sent.keys()
    assert not {"host", "content-length", "transfer-encoding", "x-plano-route", "x-envoy-max-retries"} & sent.keys()


@pytest.mark.parametrize(
    "unchanged", [EgressResponse(204, {}, b""), EgressResponse(200, {}, b""), EgressResponse(200, {}, b" \n")]
)
async def test_no_content_means_unchanged(unchanged: EgressResponse) -> None:
    assert await run(RecordingEgress([unchanged]), http_filter("one")) is BODY


async def test_a_rejection_ends_the_chain_with_its_status_and_message() -> None:
    said = {"detail": {"error": "out_of_scope", "message": "Only travel, please."}}
    egress = RecordingEgress([reply(said, 422)])
    with pytest.raises(FilterRejected) as caught:
        await run(egress, http_filter("guard"), http_filter("never"))
    assert (caught.value.status, caught.value.public_message) == (422, "Only travel, please.")
    assert caught.value.extra == {"agent": "guard", "status": 422, "agent_response": orjson.dumps(said).decode()}
    assert len(egress.posts) == 1


@pytest.mark.parametrize(
    ("said", "message"),
    [
        (b'{"error": {"message": "no", "type": "x"}}', "no"),
        (b'{"error": "out_of_scope", "message": "Only travel."}', "Only travel."),
        (b'{"error": "nope"}', "nope"),
        (b'{"message": "m"}', "m"),
        (b'{"detail": "d"}', "d"),
        (b'{"detail": [{"loc": ["body"]}]}', '{"detail": [{"loc": ["body"]}]}'),
        (b"plain words", "plain words"),
        (b"", "Filter 'guard' rejected the request."),
        (b"\xff\xfe", "��"),
    ],
)
async def test_the_message_is_found_where_filters_put_it(said: bytes, message: str) -> None:
    with pytest.raises(FilterRejected) as caught:
        await run(RecordingEgress([reply(said, 400)]), http_filter("guard"))
    assert caught.value.public_message == message


async def test_a_rejection_is_bounded() -> None:
    with pytest.raises(FilterRejected) as caught:
        await run(RecordingEgress([reply(b"x" * 100_000, 403)]), http_filter("guard"))
    assert len(caught.value.public_message) == 1_000
    assert len(caught.value.extra["agent_response"]) == 8_192


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (reply({"x": 1}, 500), 502, "failed"),
        (reply(b"", 302), 502, "failed"),
        (local_reply(503, "UF"), 503, "could not be reached"),
        (local_reply(503, "UH"), 503, "could not be reached"),
        (local_reply(504, "UT"), 504, "in time"),
        (local_reply(504, "UT,URX"), 504, "in time"),
        (local_reply(502, TOO_LARGE), 502, "too long"),
        (reply(b"not json"), 502, "not JSON"),
        (reply([1]), 502, "not a JSON object"),
        (reply(b"[" * 5_000), 502, "not JSON"),
        (reply(b'{"a": "\xff"}'), 502, "not JSON"),
    ],
)
async def test_a_filter_that_does_not_work_is_not_the_clients_fault(answer: EgressResponse, status: int, says: str) -> None:
    with pytest.raises(FilterFailed) as caught:
        await run(RecordingEgress([answer]), http_filter("guard"))
    assert caught.value.status == status
    assert "'guard'" in caught.value.public_message
    assert says in caught.value.public_message


@given(
    st.integers(100, 599), st.binary(max_size=60) | st.sampled_from([b"{}", b'{"error":{"message":{"error":{"message":{}}}}}'])
)
def test_any_answer_is_a_body_or_a_gateway_error(status: int, body: bytes) -> None:
    failed = False
    left = b""
    try:
        left = read_http_reply("f", EgressResponse(status, {}, body), unchanged=BODY)
    except GatewayError as error:
        failed = True
        assert 400 <= error.status <= 504  # noqa: PT017 -- either outcome is right, and each has its own check
    assert failed or isinstance(orjson.loads(left), dict)
