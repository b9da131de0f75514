"""Everything else that reads what clients, providers and filters send: only the errors that are documented come of it."""

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.conversation import read_conversation
from ext_proc.apis.errors import error_body
from ext_proc.apis.provider_errors import parse_error
from ext_proc.apis.registry import spec_of
from ext_proc.apis.session_facts import speaks_as_user
from ext_proc.attempt.failures import classify, status_of
from ext_proc.attempt.first_token_gate import Gate
from ext_proc.codec.json_body import parse_object
from ext_proc.continuation.splicer import Broken, Splicer
from ext_proc.continuation.transcript import Mismatch
from ext_proc.errors import FilterFailed, FilterRejected, MalformedBody, UpstreamError
from ext_proc.filters.filter import Filter
from ext_proc.filters.filter_reply import message_of
from ext_proc.filters.mcp_filter import read_tool_reply
from ext_proc.ports import EgressResponse
from ext_proc.routing.affinity.session_key import session_key
from ext_proc.routing.affinity.sessions import Affinity
from ext_proc.translate.cache_markers import mark_for_cache
from ext_proc.translate.passthrough import IdentityStream, in_clients_shape
from ext_proc.translate.quirks import LOSSLESS
from ext_proc.translate.token_estimate import estimate_tokens
from tests.kit import almost_right
from tests.kit.almost_right import almost, anything, dumps, written

APIS = ("chat_completions", "messages", "responses")
ALL_APIS = (*APIS, "converse")
AFFINITY = Affinity(implied_ttl_seconds=60)


@pytest.mark.parametrize("api", ALL_APIS)
@given(value=anything())
def test_usage(api: str, value: Any) -> None:
    assert spec_of(api).read_usage(value).total_tokens >= 0


@pytest.mark.parametrize("api", APIS)
@given(value=anything() | almost([{"error": {"message": "m", "type": "t", "code": "c", "param": "p"}}]))
def test_errors_of_providers(api: str, value: Any) -> None:
    raw = dumps(value)
    error = parse_error(400, raw)
    assert 400 <= status_of(error) <= 599
    assert classify(error)
    assert error_body(error, spec_of(api).shape)["error"]["message"]
    assert orjson.loads(in_clients_shape(api, 400, raw))["error"]


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
def test_what_decisions_are_made_by(api: str, data: st.DataObject) -> None:
    body = data.draw(almost(almost_right.requests(api)))
    with contextlib.suppress(MalformedBody):
        parsed = parse_object(dumps(body))
        conversation = read_conversation(api, parsed)
        speaks_as_user(api, parsed)
        session_key(AFFINITY, api, {}, parsed, conversation, implies=True)


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
def test_prompts_that_are_marked_for_the_cache(api: str, data: st.DataObject) -> None:
    raw = dumps(data.draw(almost(almost_right.requests(api))))
    marked = mark_for_cache(raw, api, model="claude", quirks=LOSSLESS, least_tokens=0)
    assert isinstance(orjson.loads(marked), dict)


@given(body=almost(almost_right.requests("messages")))
def test_estimates_of_tokens(body: Any) -> None:
    with contextlib.suppress(MalformedBody):
        assert estimate_tokens(parse_object(dumps(body))) > 0


@pytest.mark.parametrize("api", ALL_APIS)
@given(data=st.data())
def test_the_gate_of_a_stream(api: str, data: st.DataObject) -> None:
    gate = Gate(api)
    with contextlib.suppress(UpstreamError):
        for event in data.draw(almost(almost_right.streams(api))):
            gate.feed(written(event, api))
        gate.finish()


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
def test_streams_that_pass(api: str, data: st.DataObject) -> None:
    stream = IdentityStream(api)
    for event in data.draw(almost(almost_right.streams(api))):
        stream.feed(written(event, api))
    stream.finish()
    assert stream.usage.total_tokens >= 0


@pytest.mark.parametrize("api", APIS)
@given(data=st.data())
def test_streams_that_are_continued(api: str, data: st.DataObject) -> None:
    splicer = Splicer(api)
    first = data.draw(almost(almost_right.streams(api)))
    second = data.draw(st.just(first) | almost([first]))
    for events in (first[: data.draw(st.integers(0, len(first)))], second):
        with contextlib.suppress(Broken, Mismatch, UpstreamError):
            for event in events:
                splicer.feed(written(event, api))
            splicer.finish()
        assert splicer.merger.text() != ""
        splicer.begin()
    splicer.terminator()


@given(value=anything() | almost([{"error": {"message": "m"}, "detail": "d"}]))
def test_what_filters_say(value: Any) -> None:
    assert isinstance(message_of(dumps(value).decode()), str)


RESULT = {"content": [{"type": "text", "text": "{}"}], "structuredContent": {"result": "{}"}, "isError": True}
MCP = {"jsonrpc": "2.0", "id": 2, "result": RESULT, "error": {"code": 1, "message": "m", "data": {}}}


FILTER = Filter(id="guard", type="mcp", route="filter/guard")


@given(value=anything() | almost([MCP]))
def test_what_mcp_servers_say(value: Any) -> None:
    reply = EgressResponse(status=200, headers={"content-type": "application/json"}, body=dumps(value))
    with contextlib.suppress(FilterFailed, FilterRejected):
        assert read_tool_reply(FILTER, reply)
