"""The same API on both sides."""

from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext_proc.errors import UpstreamError
from ext_proc.translate.passthrough import in_clients_shape
from ext_proc.translate.registry import translation
from ext_proc.translate.translation import Exchange, StreamTranslator
from tests.kit.folding import fold, payloads
from tests.kit.llm_streams import STREAMS, Answer, answers, chunked

APIS = sorted(STREAMS)
SPOKEN = Answer(thoughts=[], signature="", texts=["It ", "rains."], calls=[], cut=0, finish="stop", usage=(7, 0, 0, 3, 0))
few = settings(max_examples=settings().max_examples // 4)


def exchange(request: dict[str, Any] | None = None) -> Exchange:
    return Exchange(request=request or {}, id="0" * 32, created=1)


def stream_of(api: str) -> StreamTranslator:
    return translation(api, api, exchange()).stream()


@pytest.mark.parametrize("api", APIS)
@few
@given(answer=answers(), cuts=st.lists(st.integers(0, 10_000), max_size=8))
def test_events_pass_and_usage_is_read_in_passing(api: str, answer: Answer, cuts: list[int]) -> None:
    data = STREAMS[api](answer)
    stream = stream_of(api)
    passed = b""
    for chunk in chunked(data, cuts):
        passed += stream.feed(chunk)
        assert not passed or passed.endswith(b"\n\n")
    assert passed == data
    assert stream.finish() == b""
    whole = translation(api, api, exchange()).response(fold(api, data))
    assert stream.usage == whole.usage
    assert stream.model == whole.model


@pytest.mark.parametrize("api", APIS)
@few
@given(answer=answers(), cut=st.integers(0, 50))
def test_a_stream_that_is_cut_off_ends_in_an_error_of_its_own(api: str, answer: Answer, cut: int) -> None:
    data = STREAMS[api](answer)
    stream = stream_of(api)
    told = stream.feed(data[:cut]) + stream.finish()
    *events, error = payloads(told)
    assert events == payloads(data)[: len(events)]
    assert error.get("type", "error") == "error"
    assert stream.finish() + stream.abort(UpstreamError("again")) == b""


@pytest.mark.parametrize("api", APIS)
@pytest.mark.parametrize("malformed", [b'data: {"choices":[{"ind', b"data: [1]", b"event: x\r\ndata: <html>"])
def test_what_is_no_event_of_the_api_is_skipped(api: str, malformed: bytes) -> None:
    data = STREAMS[api](SPOKEN)
    first, rest = data.split(b"\n\n", 1)
    stream = stream_of(api)
    sent = first + b"\n\n" + malformed + b"\n\n: alive\n\n" + rest
    told = b"".join(stream.feed(chunk) for chunk in chunked(sent, list(range(0, len(sent), 30))))
    assert told == first + b"\n\n: alive\n\n" + rest
    assert stream.finish() == b""
    assert not stream.failed


def test_the_last_event_needs_no_blank_line() -> None:
    data = STREAMS["chat_completions"](SPOKEN).rstrip()
    stream = stream_of("chat_completions")
    assert stream.feed(data) + stream.finish() == data


def test_only_the_models_name_changes() -> None:
    body = {"model": "alias", "messages": [{"role": "user", "content": "Hi", "vendor": 1}], "vendor": [None]}
    out = translation("messages", "messages", exchange(body)).request(upstream_model="m")
    assert out == {**body, "model": "m"}
    assert body["model"] == "alias"


@pytest.mark.parametrize("api", APIS)
def test_an_answer_is_not_touched(api: str) -> None:
    body = {"id": "x", "model": "m", "vendor": 1}
    assert translation(api, api, exchange()).response(body).body is body


def test_an_error_in_the_apis_shape_is_not_touched() -> None:
    body = {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded", "extra": 1}, "request_id": "r"}
    raw = orjson.dumps(body, option=orjson.OPT_INDENT_2)
    assert translation("messages", "messages", exchange()).error(529, raw) is raw


def test_any_other_error_is_put_in_the_apis_shape() -> None:
    told = translation("chat_completions", "chat_completions", exchange()).error(502, b"<html>")
    assert orjson.loads(told)["error"]["type"] == "server_error"


@few
@given(api=st.sampled_from([*APIS, "embeddings", "count_tokens"]), status=st.integers(400, 599), body=st.binary(max_size=60))
def test_any_error_gets_the_clients_shape_and_keeps_it(api: str, status: int, body: bytes) -> None:
    told = in_clients_shape(api, status, body)
    assert orjson.loads(told)["error"]["message"]
    assert in_clients_shape(api, status, told) is told


def test_anthropics_clients_want_to_be_told_that_it_is_an_error() -> None:
    told = in_clients_shape("messages", 400, b'{"error":{"type":"invalid_request_error","message":"m"}}')
    assert orjson.loads(told) == {"type": "error", "error": {"type": "invalid_request_error", "message": "m"}}


def chat(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish, **more}
    return b"data: " + orjson.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}) + b"\n\n"


DONE = b"data: [DONE]\n\n"


@pytest.mark.parametrize("cuts", [[], list(range(400))])
def test_done_without_a_reason_to_finish_is_a_cut(cuts: list[int]) -> None:
    stream = stream_of("chat_completions")
    told = b"".join(map(stream.feed, chunked(chat({"content": "It "}) + DONE, cuts))) + stream.finish()
    assert told.startswith(chat({"content": "It "}))
    assert payloads(told)[-1]["error"]["code"] == "stream_cut_off"
    assert (b"[DONE]" in told, stream.failed) == (False, True)


@pytest.mark.parametrize("cuts", [[], list(range(400))])
def test_a_reason_to_finish_that_is_a_failure_is_told_as_one(cuts: list[int]) -> None:
    broken = chat({}, "error", error={"code": 502, "message": "Upstream provider failed"})
    stream = stream_of("chat_completions")
    sent = chat({"content": "It "}) + broken + chat({"content": "more"}) + DONE
    told = b"".join(map(stream.feed, chunked(sent, cuts))) + stream.finish()
    first, error = payloads(told)
    assert (first["choices"][0]["delta"], error["error"]["message"]) == ({"content": "It "}, "Upstream provider failed")
    assert (b"[DONE]" in told, stream.failed) == (False, True)


def test_an_empty_data_line_does_not_reach_a_client() -> None:
    stream = stream_of("chat_completions")
    good = chat({"content": "It "}) + chat({}, "stop") + DONE
    assert stream.feed(good.replace(b"}\n\ndata: {", b"}\n\ndata:\n\ndata: {")) + stream.finish() == good


def test_an_error_of_responses_goes_on_with_their_numbers() -> None:
    data = STREAMS["responses"](SPOKEN)
    stream = stream_of("responses")
    told = stream.feed(data[: data.index(b"rains")]) + stream.finish()
    numbers = [event["sequence_number"] for event in payloads(told)]
    assert numbers == list(range(len(numbers)))
