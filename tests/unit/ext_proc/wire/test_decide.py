import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.events import Continue, Event, RequestBody, RequestHeaders, Respond, Trailers
from ext_proc.wire.common import UnexpectedMessage
from ext_proc.wire.decide import decode, encode
from protos import ext_proc_pb2 as pb

HEAD = RequestHeaders({}, ends_stream=False)


def headers_message(*headers: tuple[str, bytes], value: str = "") -> pb.ProcessingRequest:
    message = pb.ProcessingRequest(request_headers=pb.HttpHeaders(headers=pb.HeaderMap()))
    for key, raw in headers:
        message.request_headers.headers.headers.add(key=key, raw_value=raw, value=value)
    return message


def encoded(event: Event, reply: Continue | Respond) -> pb.ProcessingResponse:
    return pb.ProcessingResponse.FromString(encode(event, reply))


def test_decodes_headers() -> None:
    message = headers_message((":path", b"/a"), ("x", b"1"), ("x", b"2"), ("cookie", b"a=1"), ("cookie", b"b=2"), ("é", b""))
    message.request_headers.end_of_stream = True
    assert decode(message) == RequestHeaders({":path": "/a", "x": "1, 2", "cookie": "a=1; b=2", "é": ""}, ends_stream=True)
    assert decode(headers_message(("x", b""), value="plain")) == RequestHeaders({"x": "plain"}, ends_stream=False)


def test_decodes_bodies_and_trailers() -> None:
    assert decode(pb.ProcessingRequest(request_body=pb.HttpBody(body=b"x"))) == RequestBody(b"x")
    assert decode(pb.ProcessingRequest(request_trailers=pb.HttpTrailers())) == Trailers()


@pytest.mark.parametrize("message", [pb.ProcessingRequest(), pb.ProcessingRequest(response_trailers=pb.HttpTrailers())])
def test_other_phases_are_unexpected(message: pb.ProcessingRequest) -> None:
    with pytest.raises(UnexpectedMessage):
        decode(message)


@given(st.dictionaries(st.text(min_size=1), st.binary()))
def test_any_header_value_survives(headers: dict[str, bytes]) -> None:
    event = decode(headers_message(*headers.items()))
    assert isinstance(event, RequestHeaders)
    answer = encoded(event, Continue(set_headers=event.headers, clear_route_cache=True))
    mutated = answer.request_headers.response.header_mutation.set_headers
    assert {option.header.raw_value for option in mutated} == set(headers.values())


@pytest.mark.parametrize(
    ("event", "phase"), [(HEAD, "request_headers"), (RequestBody(b""), "request_body"), (Trailers(), "request_trailers")]
)
def test_answers_each_event_in_its_phase(event: Event, phase: str) -> None:
    plain = encoded(event, Continue())
    assert plain.WhichOneof("response") == phase
    changed = encoded(event, Continue(set_headers={"X-A": "1"}, remove_headers=("b",), metadata={"route": "r"}))
    assert changed.WhichOneof("response") == phase
    common = getattr(changed, phase)
    mutation = common.header_mutation if phase == "request_trailers" else common.response.header_mutation
    [option] = mutation.set_headers
    assert (option.header.key, option.header.raw_value, option.append_action) == ("x-a", b"1", 2)
    assert list(mutation.remove_headers) == ["b"]
    assert changed.dynamic_metadata.fields["plano"].struct_value.fields["route"].string_value == "r"


@pytest.mark.parametrize(("body", "mutation"), [(None, None), (b"", "clear_body"), (b"x", "body")])
def test_a_body_is_left_emptied_or_replaced(body: bytes | None, mutation: str | None) -> None:
    common = encoded(RequestBody(b"old"), Continue(body=body, clear_route_cache=True)).request_body.response
    assert common.body_mutation.WhichOneof("mutation") == mutation
    assert common.clear_route_cache


def test_responds_at_once() -> None:
    reply = Respond(status=404, headers={"allow": "GET"}, body=b"no", details="plano_x", metadata={"api": "messages"})
    answer = encoded(HEAD, reply)
    immediate = answer.immediate_response
    assert (immediate.status.code, immediate.body, immediate.details) == (404, b"no", "plano_x")
    assert [(option.header.key, option.header.raw_value) for option in immediate.headers.set_headers] == [("allow", b"GET")]
    assert answer.dynamic_metadata.fields["plano"].struct_value.fields["api"].string_value == "messages"
