"""Answers in the form that was not asked for: a whole one as events, events as a whole one, nothing lost either way."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.errors import ProviderError
from ext_proc.errors import MalformedBody, UpstreamError
from ext_proc.translate.events_to_whole import whole_answer
from ext_proc.translate.registry import translation
from ext_proc.translate.translation import Exchange
from ext_proc.translate.whole_to_events import stream_of
from tests.kit.folding import fold
from tests.kit.llm_provider import HELLO
from tests.kit.llm_streams import STREAMS, Answer, answers, json_objects

APIS = st.sampled_from(sorted(STREAMS))


def plain(value: Any) -> Any:
    """Drop what says nothing: places of calls, members that are null or empty."""
    if isinstance(value, dict):
        inner = {name: plain(member) for name, member in value.items() if name != "index"}
        return {name: member for name, member in inner.items() if member not in (None, [], "", {})}
    return [plain(member) for member in value] if isinstance(value, list) else value


@given(APIS, answers())
def test_events_are_the_whole_answer_that_clients_would_make_of_them(api: str, answer: Answer) -> None:
    stream = STREAMS[api](answer)
    assert plain(whole_answer(api, stream)) == plain(fold(api, stream))


@given(APIS, answers())
def test_a_whole_answer_as_events_says_the_same(api: str, answer: Answer) -> None:
    whole = fold(api, STREAMS[api](answer))
    told = stream_of(api, whole)
    assert plain(fold(api, told)) == plain(whole)
    stream = translation(api, api, Exchange(request={}, id="0" * 32, created=1)).stream()
    assert stream.feed(told) + stream.finish() == told
    assert not stream.failed


@given(APIS, answers(), st.integers(0, 100_000))
def test_a_stream_that_is_cut_is_no_whole_answer(api: str, answer: Answer, at: int) -> None:
    stream = STREAMS[api](answer)
    try:
        whole = whole_answer(api, stream[: at % len(stream)])
    except (UpstreamError, MalformedBody):
        return
    assert not isinstance(whole, ProviderError)
    assert plain({**whole, "usage": 0}) == plain({**fold(api, stream), "usage": 0})


def test_what_came_before_a_failure_is_no_answer() -> None:
    stream = STREAMS["messages"](HELLO)
    error = b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'
    told = whole_answer("messages", stream[: stream.index(b"rains")].rpartition(b"event:")[0] + error)
    assert isinstance(told, ProviderError)
    assert told.message == "busy"


def test_items_that_the_last_event_leaves_out_were_told_before() -> None:
    stream = STREAMS["responses"](HELLO)
    last = stream.rindex(b'"output":[')
    bare = stream[:last] + b'"output":[]' + stream[stream.rindex(b"}]}]") + 4 :]
    assert whole_answer("responses", bare) == fold("responses", stream)


@pytest.mark.parametrize("api", sorted(STREAMS))
@given(body=json_objects)
def test_any_json_is_an_answer_or_is_not(api: str, body: dict[str, Any]) -> None:
    try:
        stream_of(api, body)
    except MalformedBody:
        pass
