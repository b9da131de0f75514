"""Requests that come as one message: the body, and what is needed of the head as attributes."""

from ext_proc.server.processor import METHOD
from protos import ext_proc_pb2 as pb
from protos.contract.metadata import METADATA_NAMESPACE
from protos.contract.stages import LISTENER_METADATA, STAGE_DECIDE_BODY, STAGE_METADATA
from tests.ext_proc.test_server import CHAT, running
from tests.kit.ext_proc_client import headers_message, whole_message
from tests.kit.transactions import head

TRACEPARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


async def answers(listener: str, message: pb.ProcessingRequest) -> list[pb.ProcessingResponse]:
    async with running() as worker:
        await worker.becomes_healthy()
        return await worker.client.exchange(listener, message, stage=STAGE_DECIDE_BODY)


def metadata(answer: pb.ProcessingResponse) -> dict[str, str]:
    fields = answer.dynamic_metadata.fields[METADATA_NAMESPACE].struct_value.fields
    return {name: value.string_value for name, value in fields.items()}


async def test_a_decision_is_left_as_metadata() -> None:
    untraced = {name: value for name, value in head().headers.items() if name != "traceparent"}
    (answer,) = await answers("models", whole_message(CHAT, untraced))
    found = metadata(answer)
    assert found["route"] == "model/openai/gpt-4o-mini"
    assert found["path"] == "/v1/chat/completions"
    assert len(found["traceparent"]) == len(TRACEPARENT)
    # Without a header mutation Envoy would keep the route that it found before.
    assert answer.request_body.response.header_mutation.set_headers
    assert answer.request_body.response.clear_route_cache


async def test_the_query_is_left_to_the_route() -> None:
    (answer,) = await answers("models", whole_message(CHAT, {**head().headers, ":path": "/v1/chat/completions?beta=true"}))
    assert metadata(answer)["path"] == "/v1/chat/completions"


async def test_a_trace_goes_on() -> None:
    (answer,) = await answers("models", whole_message(CHAT, {**head().headers, "traceparent": TRACEPARENT}))
    assert "traceparent" not in metadata(answer)


async def test_the_state_of_a_trace_stays_with_it() -> None:
    known = {**head().headers, "tracestate": "vendor=1"}
    (kept,) = await answers("models", whole_message(CHAT, {**known, "traceparent": TRACEPARENT}))
    assert metadata(kept)["tracestate"] == "vendor=1"
    (dropped,) = await answers("models", whole_message(CHAT, {**known, "traceparent": "nonsense"}))
    assert "tracestate" not in metadata(dropped)


async def test_a_refusal_is_the_answer() -> None:
    (answer,) = await answers("models", whole_message(b"{", head("/v1/messages").headers))
    assert answer.immediate_response.status.code == 400
    assert b'"type":"error"' in answer.immediate_response.body


async def test_headers_that_are_not_utf8_are_the_clients_fault() -> None:
    message = whole_message(CHAT, {**head().headers, "traceparent": "@@"}).SerializeToString().replace(b"@@", b"\xff\xfe")
    async with running() as worker:
        await worker.becomes_healthy()
        method = worker.client.channel.stream_stream(METHOD, bytes, pb.ProcessingResponse.FromString)
        call = method(iter([message]), metadata=((STAGE_METADATA, STAGE_DECIDE_BODY), (LISTENER_METADATA, "models")))
        answer = await call.read()
    assert isinstance(answer, pb.ProcessingResponse)
    assert answer.immediate_response.status.code == 400
    assert b"not UTF-8" in answer.immediate_response.body


async def test_what_is_not_a_post_shows_its_headers() -> None:
    message = headers_message({**head("/v1/models").headers, ":method": "GET"}, ends_stream=True)
    (answer,) = await answers("models", message)
    assert answer.immediate_response.status.code == 200
    assert b'"object":"list"' in answer.immediate_response.body
