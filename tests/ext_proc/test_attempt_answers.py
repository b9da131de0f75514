"""What the client gets of whole answers and errors, and what Envoy is told about another attempt."""

import gzip
import zlib

import orjson
import pytest

from ext_proc.attempt.record import COMPLETED
from protos.contract.headers import RETRY_AFTER_HEADER
from tests.kit.attempts import ANSWERS, BEDROCK, CHAT_ANSWER, CHAT_REQUEST, CLAUDE, GPT, REQUESTS, RESPONSES, AttemptPlay
from tests.kit.llm_provider import HELLO
from tests.kit.llm_streams import STREAMS

MODELS = {"chat_completions": GPT, "messages": CLAUDE, "responses": RESPONSES, "converse": BEDROCK}


def play(model: str = GPT, client_api: str = "chat_completions", **more: object) -> AttemptPlay:
    started = AttemptPlay(model, client_api=client_api, **more)  # type: ignore[arg-type]
    started.request(REQUESTS[client_api])
    return started


def text_of(client_api: str, body: dict[str, object]) -> object:
    reads = {
        "chat_completions": lambda: body["choices"][0]["message"]["content"],  # type: ignore[index]
        "messages": lambda: body["content"][0]["text"],  # type: ignore[index]
        "responses": lambda: body["output"][0]["content"][0]["text"],  # type: ignore[index]
    }
    return reads[client_api]()


@pytest.mark.parametrize("upstream_api", ANSWERS)
@pytest.mark.parametrize("client_api", REQUESTS)
def test_every_answer_reaches_every_client(client_api: str, upstream_api: str) -> None:
    attempt = play(MODELS[upstream_api], client_api)
    raw = orjson.dumps(ANSWERS[upstream_api])
    seen = attempt.answer(200, raw)
    assert text_of(client_api, seen.json) == "Hello!"
    assert (seen.ended, seen.status, seen.retry) == (True, 200, "")
    assert (seen.body == raw) == (client_api == upstream_api)
    if client_api != upstream_api:
        assert seen.headers["content-length"] == str(len(seen.body))
    record = attempt.session.record
    assert (record.outcome, record.usage.input_tokens, record.usage.output_tokens) == (COMPLETED, 7, 3)
    assert attempt.session.is_done


@pytest.mark.parametrize("model", [GPT, CLAUDE])
def test_an_answer_is_held_until_it_is_whole(model: str) -> None:
    attempt = play(model)
    attempt.head(more={"content-length": "999"})
    attempt.body(orjson.dumps(ANSWERS["chat_completions" if model == GPT else "messages"])[:-5])
    assert attempt.is_held
    assert attempt.session.record.outcome == "unanswered"


def test_an_answer_of_the_same_api_stays_as_it_is_byte_for_byte() -> None:
    raw = b'{"odd" : [1.50, {"not": "ours"}],\n "deep": ' + b"[" * 300 + b"]" * 300 + b', "choices":[{}]}'
    seen = play().answer(200, raw)
    assert (seen.status, seen.body, seen.headers["content-length"]) == (200, raw, str(len(raw)))


def test_what_is_not_json_passes_from_its_first_byte() -> None:
    attempt = AttemptPlay(GPT, client_api="embeddings")
    attempt.request({"model": "whatever", "input": "hi"})
    attempt.head(200, "audio/mpeg")
    assert attempt.is_held
    attempt.body(b"ID3")
    assert (attempt.is_held, attempt.seen.body) == (False, b"ID3")


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("model", [GPT, CLAUDE])
def test_a_page_is_no_answer(model: str, *, stream: bool) -> None:
    attempt = AttemptPlay(model)
    attempt.request({**REQUESTS["chat_completions"], "stream": stream})
    attempt.head(200, "text/html; charset=utf-8")
    attempt.body(b"<html>\n  <body>Please sign in</body></html>", ends_stream=True)
    assert (attempt.seen.status, attempt.seen.retry) == (502, "unreadable_answer")
    assert attempt.seen.json["error"]["message"] == "The provider answered with `text/html` in place of an answer."
    assert attempt.session.record.came == "text/html: <html> <body>Please sign in</body></html>"


EMPTY = {
    "chat_completions": {"choices": [], "usage": {"completion_tokens": 20}},
    "messages": {"type": "message", "content": [], "stop_reason": "end_turn", "usage": {"output_tokens": 20}},
    "responses": {"object": "response", "status": "completed", "output": [], "usage": {"output_tokens": 20}},
}


@pytest.mark.parametrize("client_api", REQUESTS)
@pytest.mark.parametrize("model", [GPT, CLAUDE, RESPONSES])
def test_an_answer_with_nothing_in_it_is_none(client_api: str, model: str) -> None:
    attempt = play(model, client_api)
    seen = attempt.answer(200, EMPTY[attempt.api])
    assert (seen.status, seen.retry, attempt.session.record.outcome) == (502, "empty_answer", "empty_answer")


@pytest.mark.parametrize("client_api", REQUESTS)
@pytest.mark.parametrize("model", [GPT, CLAUDE, RESPONSES])
@pytest.mark.parametrize("content_type", ["text/event-stream", "application/json", "text/plain"])
def test_events_where_a_whole_answer_was_asked_for_are_told_as_one(client_api: str, model: str, content_type: str) -> None:
    attempt = play(model, client_api)
    attempt.head(200, content_type)
    attempt.body(STREAMS[attempt.api](HELLO), ends_stream=True)
    seen = attempt.seen
    assert (seen.status, seen.headers["content-type"]) == (200, "application/json")
    assert text_of(client_api, seen.json) == "It rains."
    record = attempt.session.record
    assert (record.outcome, record.usage.input_tokens, record.usage.output_tokens) == (COMPLETED, 7, 3)


def test_half_a_stream_is_no_whole_answer() -> None:
    attempt = play()
    attempt.head(200, "text/event-stream")
    stream = STREAMS["chat_completions"](HELLO)
    attempt.body(stream[: stream.index(b"rains")], ends_stream=True)
    assert (attempt.seen.status, attempt.seen.retry) == (502, "unreadable_answer")


@pytest.mark.parametrize(("reason", "message"), [({"error": {"message": "No GPU."}}, "No GPU."), ({}, "broke the answer off")])
def test_a_choice_that_finishes_by_a_failure_is_none(reason: dict[str, object], message: str) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "It"}, "finish_reason": "error", **reason}
    seen = play().answer(200, {"choices": [choice]})
    assert (seen.status, seen.retry) == (502, "upstream_error")
    assert message in seen.json["error"]["message"]


def test_an_answer_has_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ext_proc.attempt.whole_answer.MAX_WHOLE_BYTES", 100)
    attempt = play()
    attempt.head()
    attempt.body(b'{"text":"' + b"x" * 100)
    assert (attempt.seen.status, attempt.seen.retry, attempt.seen.ended) == (502, "unreadable_answer", True)


@pytest.mark.parametrize("model", [GPT, CLAUDE])
def test_an_error_under_a_200_is_told_by_its_status_and_may_be_bettered(model: str) -> None:
    error = {"message": "busy", "code": 503} if model == GPT else {"type": "overloaded_error", "message": "busy"}
    said = {"error": error} if model == GPT else {"type": "error", "error": error}
    attempt = play(model)
    seen = attempt.answer(200, said)
    assert (seen.status, seen.retry) == (503 if model == GPT else 529, "upstream_error")
    assert (seen.json["error"]["message"], attempt.session.record.outcome) == ("busy", "upstream_error")


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_an_upstream_that_compresses_anyway_is_read(encoding: str) -> None:
    attempt = play(CLAUDE)
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    packed = compress(orjson.dumps(ANSWERS["messages"]))
    seen = attempt.answer(200, packed, {"content-encoding": encoding})
    assert text_of("chat_completions", seen.json) == "Hello!"
    assert "content-encoding" in seen.removed


@pytest.mark.parametrize("model", [GPT, CLAUDE])
@pytest.mark.parametrize(
    ("body", "headers", "outcome"),
    [
        (b"", {}, "empty_answer"),
        (b"  ", {}, "empty_answer"),
        (b"<html>", {}, "unreadable_answer"),
        (b"[]", {}, "unreadable_answer"),
        (b'{"choices":[', {}, "unreadable_answer"),
        (b"{}", {"content-encoding": "br"}, "unreadable_answer"),
        (b"{}", {"content-encoding": "gzip"}, "unreadable_answer"),
    ],
)
def test_a_success_that_cannot_be_understood_is_a_failure_that_another_target_may_better(
    body: bytes, headers: dict[str, str], outcome: str, model: str
) -> None:
    attempt = play(model)
    attempt.head(200, more=headers)
    attempt.body(body, ends_stream=True)
    seen = attempt.seen
    assert (seen.status, seen.retry, attempt.session.record.outcome) == (502, outcome, outcome)
    assert seen.json["error"]["message"]
    assert (seen.history.attempted, seen.history.failure) == ((model,), outcome)
    assert attempt.session.record.usage.total_tokens == 0


def test_a_head_without_a_body_is_empty_too() -> None:
    attempt = play()
    attempt.head(200, ends_stream=True)
    assert (attempt.seen.status, attempt.seen.retry, attempt.seen.ended) == (502, "empty_answer", True)


TOO_LONG = {"error": {"message": "This model's maximum context length is 8192 tokens.", "code": "context_length_exceeded"}}


def test_a_context_that_is_too_long_goes_to_the_next_model_with_the_providers_own_words() -> None:
    raw = orjson.dumps(TOO_LONG)
    seen = play().answer(400, raw)
    assert (seen.status, seen.retry, seen.body) == (400, "context_length_exceeded", raw)
    assert (seen.history.failure, seen.history.too_long_for) == ("context_length_exceeded", (GPT,))


def test_a_context_that_is_too_long_for_all_is_final() -> None:
    seen = play(CLAUDE, attempted=(GPT,), chain=f"chain/{GPT}(chat_completions)").answer(
        400, {"type": "error", "error": {"type": "invalid_request_error", "message": "prompt is too long: 9 > 8"}}
    )
    assert (seen.status, seen.retry) == (400, "")
    assert seen.json["error"]["message"] == "prompt is too long: 9 > 8"


@pytest.mark.parametrize(
    ("status", "error", "outcome"),
    [
        (400, {"message": "nonsense", "type": "invalid_request_error"}, "refused"),
        (429, {"message": "slow down", "type": "rate_limit_error"}, "rate_limited"),
        (500, {"message": "oops", "type": "api_error"}, "upstream_error"),
        (529, {"message": "busy", "type": "overloaded_error"}, "upstream_error"),
    ],
)
def test_errors_keep_their_status_and_words_in_the_clients_shape(status: int, error: dict[str, str], outcome: str) -> None:
    attempt = play(CLAUDE)
    seen = attempt.answer(status, {"type": "error", "error": error}, {"retry-after": "7"})
    assert (seen.status, seen.json["error"]["message"], seen.retry) == (status, error["message"], "")
    assert {"message", "type", "param", "code"} == seen.json["error"].keys()
    # It asks for patience, so the same model is not asked again at once.
    assert (attempt.session.record.outcome, seen.history.failure, seen.history.is_transient) == (outcome, outcome, False)


@pytest.mark.parametrize(
    ("status", "code", "retry", "outcome"),
    [
        (400, "ValidationException:http://internal.amazon.com/coral/com.amazon.bedrock/", "", "refused"),
        (408, "ModelTimeoutException", "", "upstream_error"),
        (424, "ModelErrorException", "", "upstream_error"),
        (429, "ThrottlingException", "", "rate_limited"),
        (503, "ServiceUnavailableException", "", "upstream_error"),
    ],
)
def test_errors_of_bedrock_are_named_by_a_header_and_marked_where_their_status_does_not_say_that_another_may_better_them(
    status: int, code: str, retry: str, outcome: str
) -> None:
    attempt = play(BEDROCK)
    seen = attempt.answer(status, {"message": "It says no."}, {"x-amzn-errortype": code})
    assert (seen.status, seen.retry, attempt.session.record.outcome) == (status, retry, outcome)
    assert (seen.json["error"]["message"], seen.json["error"]["code"]) == ("It says no.", code.split(":")[0].split("#")[-1])


def test_what_is_too_long_for_a_model_of_bedrock_goes_to_the_next_one() -> None:
    error = {"message": "Input is too long for requested model."}
    seen = play(BEDROCK, "messages").answer(400, error, {"x-amzn-errortype": "ValidationException"})
    assert (seen.status, seen.retry) == (400, "context_length_exceeded")
    assert seen.json == {"type": "error", "error": {"type": "invalid_request_error", **error}}


@pytest.mark.parametrize("reason", ["malformed_tool_use", "malformed_model_output"])
def test_an_answer_that_bedrock_calls_malformed_is_none(reason: str) -> None:
    seen = play(BEDROCK).answer(200, ANSWERS["converse"] | {"stopReason": reason})
    assert (seen.status, seen.retry, seen.json["error"]["code"]) == (502, "unreadable_answer", reason)


def test_a_page_for_browsers_becomes_an_error_of_the_api() -> None:
    seen = play().answer(502, b"<html><h1>Bad Gateway</h1></html>")
    assert (seen.status, seen.json["error"]["type"]) == (502, "server_error")


@pytest.mark.parametrize("model", [GPT, CLAUDE])
def test_an_error_that_is_nested_as_deep_as_can_be_is_told_all_the_same(model: str) -> None:
    body = b'{"error": {"message": "Too deep.", "type": "x", "metadata": %s}}' % (b"[" * 1000 + b"]" * 1000)
    seen = play(model).answer(400, body)
    assert (seen.status, seen.json["error"]["message"]) == (400, "Too deep.")
    assert (seen.body == body) == (model == GPT)


def test_a_refusal_by_policy_is_final_even_as_a_server_error() -> None:
    error = {"error": {"message": "Rejected by our safety system.", "code": "content_policy_violation"}}
    seen = play().answer(500, error)
    assert (seen.status, seen.retry, seen.json) == (400, "", error)


def test_only_the_last_model_is_waited_for() -> None:
    first = play().answer(429, {"error": {"message": "slow"}}, {"retry-after": "7"})
    last = play(CLAUDE, attempted=(GPT,), chain=f"chain/{GPT}(chat_completions)").answer(429, b"{}", {"retry-after": "7"})
    assert RETRY_AFTER_HEADER not in first.headers
    assert last.headers[RETRY_AFTER_HEADER] == "7"


def test_trailers_end_an_answer_too() -> None:
    attempt = play(CLAUDE)
    attempt.head()
    attempt.body(orjson.dumps(ANSWERS["messages"]))
    attempt.trailers()
    assert text_of("chat_completions", attempt.seen.json) == "Hello!"
    assert attempt.session.is_done


def test_a_redirection_is_an_error() -> None:
    seen = play(CLAUDE).answer(307, b"elsewhere", {"location": "/x"})
    assert seen.status == 502
    assert b"redirection (307)" in seen.body
    assert "location" in seen.removed


def test_a_bug_before_the_answer_began_is_an_error_not_a_success() -> None:
    attempt = play(CLAUDE)
    attempt.head()
    attempt._take(attempt.session.give_up())
    assert (attempt.seen.status, attempt.seen.ended) == (502, True)
    assert attempt.seen.json["error"]


def test_a_bug_at_the_answers_head_is_an_error_not_an_empty_success() -> None:
    attempt = play(CLAUDE)
    attempt.session.record.status = 200
    attempt._take(attempt.session.give_up())
    assert (attempt.seen.status, attempt.seen.ended, attempt.seen.json["error"]["code"]) == (500, True, "internal_error")


def test_embeddings_count_their_input() -> None:
    attempt = AttemptPlay(GPT, client_api="embeddings")
    attempt.request(CHAT_REQUEST)
    attempt.answer(200, {"object": "list", "data": [], "usage": {"prompt_tokens": 5, "total_tokens": 5}})
    assert attempt.session.record.usage.input_tokens == 5
    assert CHAT_ANSWER["usage"]
