"""Streams through the attempt stage: held until they say something, the same in any chunks, never an error as a success."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.attempt.record import COMPLETED, CUT_OFF
from ext_proc.errors import InternalError
from tests.kit.attempts import BEDROCK, CLAUDE, GPT, REQUESTS, RESPONSES, AttemptPlay
from tests.kit.event_stream import Json, encode_one
from tests.kit.llm_streams import STREAMS, UPSTREAM_STREAMS, Answer, answers, chunked

MODELS = {"chat_completions": GPT, "messages": CLAUDE, "responses": RESPONSES, "converse": BEDROCK}
HELLO = Answer(thoughts=[], signature="", texts=["Hel", "lo!"], calls=[], cut=0, finish="stop", usage=(7, 0, 0, 3, 0))
PAIRS = [(client, upstream) for client in REQUESTS for upstream in UPSTREAM_STREAMS]


def play(client_api: str = "chat_completions", upstream_api: str = "chat_completions") -> AttemptPlay:
    attempt = AttemptPlay(MODELS[upstream_api], client_api=client_api)
    attempt.request({**REQUESTS[client_api], "stream": True})
    return attempt


def events(body: bytes) -> list[dict[str, object]]:
    found = [line.removeprefix(b"data: ") for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [orjson.loads(data) for data in found if data != b"[DONE]"]


@pytest.mark.parametrize(("client_api", "upstream_api"), PAIRS)
def test_every_stream_reaches_every_client(client_api: str, upstream_api: str) -> None:
    attempt = play(client_api, upstream_api)
    raw = UPSTREAM_STREAMS[upstream_api](HELLO)
    seen = attempt.stream(raw)
    assert b"Hel" in seen.body
    assert (seen.body == raw) == (client_api == upstream_api)
    assert (seen.status, seen.ended, seen.headers) == (200, True, {"content-type": "text/event-stream"})
    record = attempt.session.record
    assert (record.outcome, record.usage.input_tokens, record.usage.output_tokens) == (COMPLETED, 7, 3)


@given(pair=st.sampled_from(PAIRS), answer=answers(), cuts=st.lists(st.integers(0, 10_000), max_size=12))
def test_any_chunking_gives_the_same(pair: tuple[str, str], answer: Answer, cuts: list[int]) -> None:
    raw = UPSTREAM_STREAMS[pair[1]](answer)
    whole, cut = play(*pair), play(*pair)
    assert cut.stream(*chunked(raw, cuts)) == whole.stream(raw)
    assert cut.session.record == whole.session.record


MALFORMED = b"data: not json\n\n"
ANNOUNCEMENTS = {
    "chat_completions": [
        b": ping\n\n",
        b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n',
        b'data: {"choices":[]}\n\n',
        MALFORMED,
    ],
    "messages": [
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"m","usage":{}}}\n\n',
        b'event: ping\ndata: {"type":"ping"}\n\n',
        b'data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}\n\n',
    ],
    "responses": [
        b'event: response.created\ndata: {"type":"response.created","response":{"id":"r","output":[]}}\n\n',
        b'event: response.in_progress\ndata: {"type":"response.in_progress","response":{"id":"r","output":[]}}\n\n',
    ],
    "converse": [encode_one({"messageStart": {"role": "assistant"}})],
}
CONTENT = {
    "chat_completions": b'data: {"choices":[{"index":0,"delta":{"content":"H"}}]}\n\n',
    "messages": b'data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"H"}}\n\n',
    "responses": b'data: {"type":"response.output_text.delta","output_index":0,"item_id":"i","delta":"H"}\n\n',
    "converse": encode_one({"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "H"}}}),
}


@pytest.mark.parametrize("api", STREAMS)
def test_a_stream_is_held_until_it_says_something(api: str) -> None:
    attempt = play(api, api)
    attempt.head(content_type="text/event-stream")
    for event in ANNOUNCEMENTS[api]:
        attempt.body(event)
        assert attempt.is_held, event
    attempt.clock += 1.5
    attempt.body(CONTENT[api][:20])
    assert attempt.is_held
    attempt.body(CONTENT[api][20:])
    told = [event for event in ANNOUNCEMENTS[api] if event != MALFORMED]
    assert attempt.seen.body == b"".join(told) + CONTENT[api]
    assert attempt.session.record.first_token_seconds == 1.5


ERRORS = {
    "chat_completions": b'data: {"error":{"message":"busy","type":"server_error","code":503}}\n\n',
    "messages": b'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n',
    "responses": b'data: {"type":"response.failed","response":{"error":{"code":"server_error","message":"busy"}}}\n\n',
    "converse": encode_one({"exception": {"serviceUnavailableException": {"message": "busy"}}}),
}
STATUSES = {"chat_completions": 503, "messages": 529, "responses": 500, "converse": 503}


@pytest.mark.parametrize(("client_api", "upstream_api"), PAIRS)
def test_an_error_before_any_content_is_an_error_with_a_status(client_api: str, upstream_api: str) -> None:
    attempt = play(client_api, upstream_api)
    seen = attempt.stream(ANNOUNCEMENTS[upstream_api][0], ERRORS[upstream_api], CONTENT[upstream_api])
    assert (seen.status, seen.retry, seen.ended) == (STATUSES[upstream_api], "upstream_error", True)
    assert seen.headers["content-type"] == "application/json"
    assert seen.json["error"]["message"] == "busy"
    assert ("type" in seen.json) == (client_api == "messages")
    assert attempt.session.record.outcome == "upstream_error"


@pytest.mark.parametrize("client_api", REQUESTS)
def test_a_stream_of_converse_is_held_until_it_says_something(client_api: str) -> None:
    attempt = play(client_api, "converse")
    attempt.head(content_type="application/vnd.amazon.eventstream")
    attempt.body(ANNOUNCEMENTS["converse"][0] + CONTENT["converse"][:-1])
    assert attempt.is_held
    attempt.body(CONTENT["converse"][-1:])
    assert (attempt.is_held, b"H" in attempt.seen.body) == (False, True)


@pytest.mark.parametrize(
    ("kind", "told", "status", "retry"),
    [
        ("throttlingException", {}, 429, "rate_limited"),
        ("internalServerException", {}, 500, "upstream_error"),
        ("modelStreamErrorException", {}, 502, "upstream_error"),
        ("modelStreamErrorException", {"originalStatusCode": 429}, 429, "rate_limited"),
        ("modelStreamErrorException", {"originalStatusCode": 400}, 502, "upstream_error"),
        ("validationException", {}, 400, ""),
        ("somethingNewException", {}, 502, "upstream_error"),
    ],
)
def test_exceptions_of_bedrock_before_any_content_have_a_status(kind: str, told: Json, status: int, retry: str) -> None:
    seen = play("chat_completions", "converse").stream(encode_one({"exception": {kind: {"message": "busy", **told}}}))
    assert (seen.status, seen.retry) == (status, retry)
    assert (seen.json["error"]["message"], seen.json["error"]["code"]) == ("busy", kind[0].upper() + kind[1:])


def test_a_malformed_answer_of_bedrock_before_any_content_is_asked_for_again() -> None:
    seen = play("messages", "converse").stream(encode_one({"messageStop": {"stopReason": "malformed_tool_use"}}))
    assert (seen.status, seen.retry) == (502, "upstream_error")


@pytest.mark.parametrize("client_api", REQUESTS)
@pytest.mark.parametrize("has_begun", [False, True])
def test_a_damaged_stream_of_converse_is_an_error(client_api: str, *, has_begun: bool) -> None:
    attempt = play(client_api, "converse")
    attempt.head(content_type="application/vnd.amazon.eventstream")
    attempt.body((CONTENT["converse"] if has_begun else b"") + b"x" * 20)
    if has_begun:
        assert attempt.seen.status == 200
        assert b"H" in attempt.seen.body.partition(b"could not be understood")[0]
        attempt.body(b"", ends_stream=True)
    else:
        assert (attempt.seen.status, attempt.seen.retry) == (502, "unreadable_answer")
    assert attempt.seen.ended


def test_a_context_that_is_too_long_is_told_in_a_stream_too() -> None:
    error = {"error": {"message": "Your input exceeds the context window of this model.", "code": "context_length_exceeded"}}
    seen = play().stream(b"data: " + orjson.dumps(error) + b"\n\n")
    assert (seen.status, seen.retry) == (400, "context_length_exceeded")


def test_a_refusal_in_a_stream_is_final() -> None:
    error = {
        "type": "error",
        "error": {"type": "invalid_request_error", "message": "Output blocked by content filtering policy"},
    }
    seen = play("messages", "messages").stream(b"event: error\ndata: " + orjson.dumps(error) + b"\n\n")
    assert (seen.status, seen.retry, seen.history.failure) == (400, "", "refused")


@pytest.mark.parametrize("beginning", [b"", ANNOUNCEMENTS["chat_completions"][1]])
def test_a_stream_that_ends_without_a_word_is_a_failure(beginning: bytes) -> None:
    seen = play().stream(beginning)
    assert (seen.status, seen.retry) == (502, "empty_answer")


@pytest.mark.parametrize(("client_api", "upstream_api"), PAIRS)
def test_a_stream_that_is_cut_ends_with_an_error_and_is_no_completion(client_api: str, upstream_api: str) -> None:
    attempt = play(client_api, upstream_api)
    seen = attempt.stream(ANNOUNCEMENTS[upstream_api][0], CONTENT[upstream_api])
    assert b"error" in seen.body
    assert b"[DONE]" not in seen.body
    assert (seen.ended, attempt.session.record.outcome) == (True, CUT_OFF)


@pytest.mark.parametrize("client_api", REQUESTS)
def test_a_stream_without_its_last_mark_is_complete(client_api: str) -> None:
    attempt = play(client_api)
    attempt.stream(STREAMS["chat_completions"](HELLO).replace(b"data: [DONE]\n\n", b""))
    assert attempt.session.record.outcome == COMPLETED


def test_a_bug_within_a_stream_ends_it_with_an_error() -> None:
    attempt = play()
    attempt.head(content_type="text/event-stream")
    attempt.body(CONTENT["chat_completions"])
    attempt._take(attempt.session.give_up())
    assert events(attempt.seen.body)[-1]["error"]
    assert (attempt.seen.ended, attempt.session.record.outcome) == (True, CUT_OFF)
    assert InternalError.status == 500


def test_an_event_without_end_is_given_up() -> None:
    attempt = play()
    attempt.head(content_type="text/event-stream")
    attempt.body(b"data: " + b"x" * (17 << 20))
    assert (attempt.seen.status, attempt.seen.retry, attempt.seen.ended) == (502, "unreadable_answer", True)


def test_a_stream_that_says_nothing_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ext_proc.attempt.stream_answer.MAX_HELD_BYTES", 100)
    attempt = play()
    attempt.head(content_type="text/event-stream")
    attempt.body(b": keep-alive\n\n" * 5)
    assert attempt.is_held
    attempt.body(b": keep-alive\n\n" * 5)
    assert (attempt.seen.status, attempt.seen.retry) == (502, "unreadable_answer")
