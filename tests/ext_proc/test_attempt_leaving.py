"""Where Envoy lets the attempt stage leave: each piece is answered once, and nothing is lost whenever the stage goes."""

import gzip
import zlib

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.attempt.record import BEGUN, COMPLETED, CUT_OFF
from ext_proc.translate.events_to_whole import whole_answer
from protos.contract.headers import UNCOUNTED_HEADER
from protos.contract.metadata import METADATA_WATCH, WATCH_BEGINNING, WATCH_GATE, WATCH_HEAD
from tests.kit.attempts import ANSWERS, CLAUDE, GPT, REQUESTS, RESPONSES, AttemptPlay
from tests.kit.llm_streams import STREAMS, Answer, answers, chunked

MODELS = {"chat_completions": GPT, "messages": CLAUDE, "responses": RESPONSES}
APIS = pytest.mark.parametrize("api", MODELS)
WATCHES = st.sampled_from(["", WATCH_BEGINNING, WATCH_GATE, WATCH_HEAD])
CUTS = st.lists(st.integers(0, 10_000), max_size=8)
HELLO = Answer(thoughts=[], signature="", texts=["Hel", "lo!"], calls=[], cut=0, finish="stop", usage=(7, 0, 0, 3, 0))
BUSY = b'data: {"error":{"message":"busy","code":503}}\n\n'


def play(api: str = "chat_completions", watch: str = "", **more: object) -> AttemptPlay:
    metadata = {METADATA_WATCH: watch}
    attempt = AttemptPlay(MODELS[api], client_api=api, may_detach=True, metadata=metadata, **more)  # type: ignore[arg-type]
    attempt.request({**REQUESTS[api], "stream": True})
    return attempt


@APIS
@given(data=st.data())
def test_a_stream_is_the_same_in_any_chunks_however_long_it_is_watched(api: str, data: st.DataObject) -> None:
    stream = STREAMS[api](data.draw(answers().filter(lambda said: bool(said.texts or said.calls))))
    attempt = play(api, data.draw(WATCHES))
    seen = attempt.stream(*chunked(stream, data.draw(CUTS)))
    assert (seen.status, seen.body, seen.ended) == (200, stream, True)


@pytest.mark.parametrize("watch", [WATCH_BEGINNING, WATCH_GATE])
@APIS
def test_a_stream_whose_beginning_is_watched_is_left_with_its_first_token(api: str, watch: str) -> None:
    attempt = play(api, watch)
    stream = STREAMS[api](HELLO)
    at = stream.index(b"Hel")
    attempt.head(content_type="text/event-stream")
    attempt.body(stream[:at])
    assert attempt.is_held
    assert not attempt.seen.detached
    attempt.body(stream[at : at + 20])
    attempt.body(stream[at + 20 :])
    attempt.body(b"", ends_stream=True)
    assert (attempt.seen.detached, attempt.seen.body) == (True, stream)
    is_counted_elsewhere = watch == WATCH_BEGINNING
    assert (UNCOUNTED_HEADER in attempt.seen.headers) is is_counted_elsewhere
    record = attempt.session.record
    assert (record.outcome, record.is_counted_elsewhere) == (BEGUN, is_counted_elsewhere)
    assert record.first_token_seconds is not None


def test_a_stream_whose_head_is_watched_is_left_at_once() -> None:
    attempt = play(watch=WATCH_HEAD)
    attempt.head(content_type="text/event-stream")
    assert attempt.seen.detached
    assert UNCOUNTED_HEADER not in attempt.seen.headers
    assert (attempt.session.record.outcome, attempt.session.record.is_counted_elsewhere) == (BEGUN, False)


def test_a_translated_stream_whose_head_is_watched_goes_on_through_the_stage() -> None:
    attempt = AttemptPlay(CLAUDE, client_api="chat_completions", metadata={METADATA_WATCH: WATCH_HEAD})
    attempt.request({**REQUESTS["chat_completions"], "stream": True})
    attempt.head(content_type="text/event-stream")
    assert not attempt.is_held
    attempt.body(STREAMS["messages"](HELLO))
    attempt.body(b"", ends_stream=True)
    assert b"Hel" in attempt.seen.body
    assert attempt.session.record.outcome == COMPLETED


@APIS
def test_a_stream_that_is_watched_to_its_end_is_counted(api: str) -> None:
    attempt = play(api)
    attempt.stream(STREAMS[api](HELLO))
    record = attempt.session.record
    assert (record.outcome, record.usage.input_tokens, record.usage.output_tokens) == (COMPLETED, 7, 3)


def test_a_stream_that_ends_too_early_ends_with_an_error() -> None:
    attempt = play()
    stream = STREAMS["chat_completions"](HELLO)
    seen = attempt.stream(stream[: stream.index(b"Hel") + 30])
    assert b"stream_cut_off" in seen.body
    assert attempt.session.record.outcome == CUT_OFF


@pytest.mark.parametrize("watch", ["", WATCH_BEGINNING, WATCH_GATE])
def test_an_error_at_the_beginning_stands_for_all_that_comes(watch: str) -> None:
    attempt = play(watch=watch)
    seen = attempt.stream(b": hello\n\n", BUSY, b"data: more\n\n")
    assert (seen.status, seen.retry) == (503, "upstream_error")
    assert (seen.json["error"]["message"], seen.headers["content-length"]) == ("busy", str(len(seen.body)))


@pytest.mark.parametrize("watch", ["", WATCH_BEGINNING, WATCH_GATE, WATCH_HEAD])
@pytest.mark.parametrize("chunks", [1, 3])
def test_an_error_of_its_own_status_is_told(watch: str, chunks: int) -> None:
    attempt = play(watch=watch)
    raw = orjson.dumps({"error": {"message": "maximum context length", "code": "context_length_exceeded"}})
    attempt.head(400)
    for start in range(chunks):
        attempt.body(raw[start::chunks] if chunks == 1 else raw[start * 30 : start * 30 + (30 if start < 2 else 999)])
    attempt.body(b"", ends_stream=True)
    assert (attempt.seen.status, attempt.seen.body, attempt.seen.retry) == (400, raw, "context_length_exceeded")


@APIS
@given(data=st.data())
def test_a_whole_answer_in_place_of_a_stream_is_told_as_one(api: str, data: st.DataObject) -> None:
    raw = orjson.dumps(ANSWERS[api])
    attempt = play(api, data.draw(WATCHES))
    attempt.head()
    *chunks, last = chunked(raw, data.draw(CUTS))
    for chunk in chunks:
        attempt.body(chunk)
        assert attempt.is_held
    attempt.body(last, ends_stream=True)
    told = attempt.seen
    assert (told.status, told.headers["content-type"]) == (200, "text/event-stream")
    assert "content-length" in told.removed
    assert whole_answer(api, told.body) == ANSWERS[api]
    assert attempt.session.record.outcome == COMPLETED


@pytest.mark.parametrize("watch", ["", WATCH_BEGINNING, WATCH_HEAD])
def test_what_was_compressed_is_read_to_its_end(watch: str) -> None:
    attempt = play(watch=watch)
    stream = STREAMS["chat_completions"](HELLO)
    attempt.head(content_type="text/event-stream", more={"content-encoding": "gzip"})
    packed = gzip.compress(stream)
    attempt.body(packed[:40])
    attempt.body(packed[40:], ends_stream=True)
    assert (attempt.seen.detached, attempt.seen.body) == (False, stream)
    assert "content-encoding" in attempt.seen.removed


def test_a_head_without_a_body_becomes_an_error_with_one() -> None:
    attempt = play()
    attempt.head(content_type="text/event-stream", ends_stream=True)
    assert (attempt.seen.status, attempt.seen.retry) == (502, "empty_answer")
    assert attempt.seen.json["error"]["message"]


def test_damage_in_the_middle_ends_in_an_error_and_swallows_the_rest() -> None:
    attempt = play()
    attempt.head(content_type="text/event-stream", more={"content-encoding": "gzip"})
    packing = zlib.compressobj(wbits=16 + zlib.MAX_WBITS)
    stream = STREAMS["chat_completions"](HELLO)
    attempt.body(packing.compress(stream[: stream.index(b"lo!")]) + packing.flush(zlib.Z_SYNC_FLUSH))
    attempt.body(b"\0" * 50)
    attempt.body(b"more")
    attempt.body(b"", ends_stream=True)
    assert attempt.seen.body.count(b"error") >= 1
    assert not attempt.seen.body.endswith(b"more")
    assert attempt.session.record.outcome == CUT_OFF


def test_a_bug_ends_in_an_error_and_swallows_the_rest() -> None:
    attempt = play()
    attempt.head(content_type="text/event-stream")
    stream = STREAMS["chat_completions"](HELLO)
    attempt.body(stream[: stream.index(b"lo!")])
    said = len(attempt.seen.body)
    attempt._unanswered.append(b"x")
    attempt._take(attempt.session.give_up())
    attempt.body(b"more", ends_stream=True)
    assert b"internal_error" in attempt.seen.body[said:]
    assert b"more" not in attempt.seen.body
