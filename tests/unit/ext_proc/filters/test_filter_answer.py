"""Filters that answer in place of the upstream: in each API, whole and as a stream."""

import orjson
import pytest

from ext_proc.errors import FilterFailed, FilterRejected
from ext_proc.filters.filter_answer import FilterAnswered, check_answer
from tests.kit.folding import fold
from tests.unit.ext_proc.filters.recording_egress import RecordingEgress, reply
from tests.unit.ext_proc.filters.test_chain import http_filter, run

APIS = ["chat_completions", "messages", "responses"]


@pytest.mark.parametrize("api", APIS)
def test_text_is_an_answer_in_each_api(api: str) -> None:
    answered = FilterAnswered("cache", "As always: 42.")
    whole, streamed = answered.whole(api, "a", 1), fold(api, answered.events(api, "a", 1))
    assert b"As always: 42." in orjson.dumps(whole)
    assert b"As always: 42." in orjson.dumps(streamed)
    assert whole["id"] == streamed["id"]


def test_an_answer_in_the_clients_api_is_given_as_it_is() -> None:
    said = {"id": "msg_1", "type": "message", "role": "assistant", "content": [{"type": "text", "text": "Hi."}], "usage": {}}
    assert FilterAnswered("cache", said).whole("messages", "a", 1) is said
    assert b"Hi." in FilterAnswered("cache", said).events("messages", "a", 1)


@pytest.mark.parametrize(
    ("api", "answer"),
    [("embeddings", "text"), ("chat_completions", {"choices": "none"}), ("count_tokens", {"input_tokens": 3})],
)
def test_what_cannot_be_told_is_the_filters_fault(api: str, answer: object) -> None:
    with pytest.raises(FilterFailed):
        FilterAnswered("cache", answer).events(api, "a", 1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", [b'{"answer": "x", "messages": []}', b'{"messages": [], "answer": 1}', b'{"answered": 1}', b"{}"]
)
def test_a_request_is_no_answer(body: bytes) -> None:
    check_answer("cache", body)


def test_an_answer_is_text_or_an_object() -> None:
    with pytest.raises(FilterFailed):
        check_answer("cache", b'{ "answer" : [1] }')


async def test_filters_after_one_that_answers_are_not_asked() -> None:
    egress = RecordingEgress([reply({"answer": "Hello."})])
    with pytest.raises(FilterAnswered):
        await run(egress, http_filter("cache"), http_filter("other"))
    assert len(egress.posts) == 1


async def test_a_guard_has_words_of_its_own() -> None:
    egress = RecordingEgress([reply({"error": {"message": "score 0.93"}}, status=422)])
    with pytest.raises(FilterRejected) as refused:
        await run(egress, http_filter("guard", refusal_message="I will not do that."))
    assert (refused.value.public_message, refused.value.status, refused.value.extra) == ("I will not do that.", 422, {})


async def test_a_filter_that_fails_may_be_passed() -> None:
    egress = RecordingEgress([reply({}, status=500), reply({"messages": [2]})])
    assert orjson.loads(await run(egress, http_filter("flaky", passes_on_error=True), http_filter("other"))) == {
        "messages": [2]
    }
    assert egress.posts[1].body == egress.posts[0].body
