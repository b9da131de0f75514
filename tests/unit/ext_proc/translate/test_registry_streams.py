"""What must hold for every stream of every pair, whatever the model says and however its bytes are cut."""

import copy
from random import Random
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext_proc.apis.registry import spec_of
from ext_proc.errors import UpstreamError
from ext_proc.translate.registry import PAIRS, translation
from ext_proc.translate.translation import Exchange, StreamTranslator, Translation
from tests.kit.event_stream import encode_one
from tests.kit.folding import fold, payloads, sse_events
from tests.kit.llm_streams import UPSTREAM_STREAMS, Answer, answers, chunked, json_objects

ALL = sorted(PAIRS)
OVER_SSE = [pair for pair in ALL if pair[1] != "converse"]
few = settings(max_examples=settings().max_examples // 4)
TERMINAL = {"message_stop", "error", "response.completed", "response.incomplete", "response.failed"}
GOOD_END = {"message_stop", "response.completed", "response.incomplete"}


def translation_of(client: str, upstream: str) -> Translation:
    request = {"model": "m", "stream": True, "stream_options": {"include_usage": True}, "messages": [], "input": []}
    return translation(client, upstream, Exchange(request=request, id="0" * 32, created=1))


def stream_of(client: str, upstream: str) -> StreamTranslator:
    return translation_of(client, upstream).stream()


def start_of_the_end(data: bytes) -> int:
    """Find where the upstream begins to say why the model stopped."""
    marks = (
        b'"finish_reason":"',
        b"event: message_delta",
        b"event: response.completed",
        b"event: response.incomplete",
        b"messageStop",
    )
    return max(data.rfind(mark) for mark in marks)


def through(stream: StreamTranslator, chunks: list[bytes]) -> bytes:
    return b"".join([*(stream.feed(chunk) for chunk in chunks), stream.finish()])


def written(event: dict[str, Any], api: str) -> bytes:
    """Write anything as an event."""
    if api == "converse":
        return encode_one({next(iter(event), "contentBlockDelta"): event})
    return b"data: " + orjson.dumps(event) + b"\n\n"


def terminals(client: str, out: bytes) -> list[str]:
    found = [event["type"] for event in payloads(out) if event.get("type") in TERMINAL]
    if client == "chat_completions":
        found = ["[DONE]" for event in sse_events(out) if event.data == b"[DONE]"]
        found += ["error" for event in payloads(out) if "error" in event]
    return found


def comparable(value: Any) -> Any:
    """Leave out what streams cannot tell alike: null from "" and from nothing, and the spelling of JSON arguments."""
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: inner for name, inner in value.items() if inner is not None and inner != ""}
    return {name: orjson.loads(inner) if name == "arguments" else comparable(inner) for name, inner in kept.items()}


@pytest.mark.parametrize("client", ["chat_completions", "messages"])
def test_a_response_that_says_so_has_failed(client: str) -> None:
    stream = stream_of(client, "responses")
    failed = {"error": {"code": "server_error", "message": "Out of order"}, "usage": {"input_tokens": 3, "output_tokens": 1}}
    out = through(stream, [written({"type": "response.failed", "response": failed}, "responses")])
    assert terminals(client, out) == ["error"]
    assert (stream.failed, stream.usage.input_tokens) == (True, 3)


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(answer=answers(), cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_any_chunking_gives_the_same_bytes(client: str, upstream: str, answer: Answer, cuts: list[int]) -> None:
    data = UPSTREAM_STREAMS[upstream](answer)
    assert through(stream_of(client, upstream), chunked(data, cuts)) == through(stream_of(client, upstream), [data])


@pytest.mark.parametrize(("client", "upstream"), OVER_SSE)
@few
@given(answer=answers())
def test_line_ends_do_not_matter(client: str, upstream: str, answer: Answer) -> None:
    data = UPSTREAM_STREAMS[upstream](answer)
    once = through(stream_of(client, upstream), [data])
    assert through(stream_of(client, upstream), [data.replace(b"\n", b"\r\n")]) == once
    assert through(stream_of(client, upstream), [data.replace(b"data: ", b"data:")]) == once


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(answer=answers())
def test_the_folded_stream_is_the_whole_answer(client: str, upstream: str, answer: Answer) -> None:
    data = UPSTREAM_STREAMS[upstream](answer)
    stream = stream_of(client, upstream)
    folded = fold(client, through(stream, [data]))
    whole = translation_of(client, upstream).response(fold(upstream, data))
    assert comparable({**folded, "object": ""}) == comparable({**whole.body, "object": ""})
    assert stream.usage == whole.usage == spec_of(client).read_usage(folded["usage"])
    assert stream.model == whole.model


INTERLEAVING = sorted(pair for pair in PAIRS if pair[1] == "chat_completions")


@pytest.mark.parametrize(("client", "upstream"), INTERLEAVING)
@few
@given(answer=answers(), order=st.randoms(use_true_random=False))
def test_calls_that_are_told_all_at_once_arrive_one_after_the_other(
    client: str, upstream: str, answer: Answer, order: Random
) -> None:
    once = fold(client, through(stream_of(client, upstream), [UPSTREAM_STREAMS[upstream](answer)]))
    mixed = fold(client, through(stream_of(client, upstream), [interleaved(UPSTREAM_STREAMS[upstream](answer), order)]))
    assert comparable(mixed) == comparable(once)


def interleaved(stream: bytes, order: Random) -> bytes:
    """Mix the pieces of a chat stream's tool calls, those of one call in their order."""
    events = stream.split(b"\n\n")
    places = [place for place, event in enumerate(events) if b'"tool_calls":[' in event]
    waiting: dict[int, list[bytes]] = {}
    for place in places:
        call = orjson.loads(events[place].removeprefix(b"data: "))["choices"][0]["delta"]["tool_calls"][0]
        waiting.setdefault(call["index"], []).append(events[place])
    begun = 0
    for place in places:
        # Calls begin in order.
        index = order.choice([number for number, pieces in waiting.items() if pieces and number <= begun])
        begun = max(begun, index + 1)
        events[place] = waiting[index].pop(0)
    return b"\n\n".join(events)


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(answer=answers())
def test_a_complete_stream_has_one_good_end_and_it_is_last(client: str, upstream: str, answer: Answer) -> None:
    out = through(stream_of(client, upstream), [UPSTREAM_STREAMS[upstream](answer)])
    ends = terminals(client, out)
    assert len(ends) == 1
    assert ends[0] in GOOD_END | {"[DONE]"}
    last = sse_events(out)[-1].data
    assert last is not None
    assert last == b"[DONE]" or orjson.loads(last)["type"] == ends[0]


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(answer=answers(), cut=st.integers(0, 100_000))
def test_a_cut_stream_never_ends_well(client: str, upstream: str, answer: Answer, cut: int) -> None:
    data = UPSTREAM_STREAMS[upstream](answer)
    out = through(stream_of(client, upstream), [data[: cut % start_of_the_end(data)]])
    assert terminals(client, out) in (["error"], ["response.failed"])


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(answer=answers(), cut=st.integers(0, 100_000))
def test_abort_tells_the_client_once(client: str, upstream: str, answer: Answer, cut: int) -> None:
    data = UPSTREAM_STREAMS[upstream](answer)
    stream = stream_of(client, upstream)
    out = stream.feed(data[: cut % len(data)]) + stream.abort(UpstreamError("it broke"))
    assert len(terminals(client, out)) == 1
    assert stream.feed(data) + stream.finish() + stream.abort(UpstreamError("again")) == b""


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(events=st.lists(json_objects | st.just({"choices": None}), max_size=5), noise=st.binary(max_size=30))
def test_nonsense_ends_in_an_error_not_in_an_exception(
    client: str, upstream: str, events: list[dict[str, Any]], noise: bytes
) -> None:
    before = copy.deepcopy(events)
    data = b"".join(written(event, upstream) for event in events) + noise
    out = through(stream_of(client, upstream), [data])
    assert len(terminals(client, out)) == 1
    assert events == before
