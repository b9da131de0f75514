"""Streams through output filters: the texts that clients get are those that filters leave, however a stream is cut."""

import asyncio
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.errors import FilterFailed, FilterRejected
from ext_proc.respond.stream_filter import FilteredStream, FilterEvent
from tests.kit.folding import fold, payloads
from tests.kit.llm_streams import STREAMS, Answer, answers, chunked

Json = dict[str, Any]
APIS = st.sampled_from(["chat_completions", "messages", "responses"])
SECRET = "sk-123456"
CUTS = st.lists(st.integers(0, 100_000), max_size=8)


def replacing(old: str, new: str) -> FilterEvent:
    """Filter as people do who know nothing of an API: in its JSON."""

    async def filter_event(event: Json) -> Json:
        changed: Json = orjson.loads(orjson.dumps(event).replace(old.encode(), new.encode()))
        return changed

    return filter_event


def changing(change: Callable[[str], str]) -> FilterEvent:
    """Filter each text of an event that brings one."""

    async def filter_event(event: Json) -> Json:
        deltas = [choice.get("delta", {}) for choice in event.get("choices", ())]
        for holder in (event, *deltas, *([event["delta"]] if isinstance(event.get("delta"), dict) else [])):
            for name in ("delta", "content", "text"):
                if isinstance(holder.get(name), str):
                    holder[name] = change(holder[name])
        return event

    return filter_event


async def filtered(api: str, stream: bytes, filter_event: FilterEvent, cuts: list[int], hold_back: int = 64) -> bytes:
    through = FilteredStream(api, filter_event, hold_back=hold_back)
    pieces = [await through.feed(chunk) for chunk in chunked(stream, cuts)]
    return b"".join([*pieces, await through.finish()])


def run(api: str, stream: bytes, filter_event: FilterEvent, cuts: list[int] | None = None, hold_back: int = 64) -> bytes:
    return asyncio.run(filtered(api, stream, filter_event, cuts or [], hold_back))


def saying(text: str, size: int = 1, calls: list[tuple[str, Json]] | None = None) -> Answer:
    pieces = [text[start : start + size] for start in range(0, len(text), size)]
    return Answer([], "", pieces, calls or [], 5, "tool_calls" if calls else "stop", (1, 0, 0, 1, 0))


def text_in(api: str, stream: bytes) -> str:
    folded = fold(api, stream)
    match api:
        case "chat_completions":
            return str(folded["choices"][0]["message"].get("content") or "")
        case "messages":
            return "".join(block.get("text", "") for block in folded["content"])
    return "".join(part["text"] for item in folded["output"] if item["type"] == "message" for part in item["content"])


@given(api=APIS, answer=answers(), cuts=CUTS, hold_back=st.integers(0, 70))
def test_a_filter_that_changes_nothing_leaves_the_same_answer(
    api: str, answer: Answer, cuts: list[int], hold_back: int
) -> None:
    stream = STREAMS[api](answer)
    out = run(api, stream, replacing("never there", ""), cuts, hold_back)
    assert fold(api, out) == fold(api, stream)
    assert payloads(out)[-1].get("type") == payloads(stream)[-1].get("type")
    assert out.endswith(b"[DONE]\n\n") == (api == "chat_completions")


@given(
    api=APIS,
    before=st.text("ab 1\n", max_size=100),
    after=st.text("ab 1\n", max_size=100),
    size=st.integers(1, 12),
    cuts=CUTS,
)
def test_a_secret_is_found_in_any_number_of_events(api: str, before: str, after: str, size: int, cuts: list[int]) -> None:
    told = saying(before + SECRET + after, size, [("send", {"to": before + SECRET})])
    out = run(api, STREAMS[api](told), replacing(SECRET, "[gone]"), cuts, hold_back=16)
    assert text_in(api, out) == f"{before}[gone]{after}"
    assert SECRET.encode() not in out
    assert b"[gone]" in b"".join(orjson.dumps(event) for event in payloads(out))
    calls = orjson.dumps(fold(api, out)).decode()
    assert calls.count("[gone]") == 2


@pytest.mark.parametrize("api", STREAMS)
def test_what_a_mask_stands_for_comes_back(api: str) -> None:
    out = run(api, STREAMS[api](saying("Write to <EMAIL_1>, please. " * 20, 3)), replacing("<EMAIL_1>", "a@example.com"))
    assert text_in(api, out) == "Write to a@example.com, please. " * 20


@pytest.mark.parametrize("api", STREAMS)
def test_a_filter_that_changes_everything_is_not_waited_for_for_ever(api: str) -> None:
    words = "all of these words are made large " * 40
    sizes = []

    def large(text: str) -> str:
        sizes.append(len(text))
        return text.upper()

    events = STREAMS[api](saying(words, 4))
    out = run(api, events, changing(large), list(range(0, len(events), 50)), hold_back=16)
    assert text_in(api, out) == words.upper()
    assert max(sizes) < 300


def test_a_word_is_not_taken_for_a_secret_because_of_where_it_was_cut() -> None:
    words = "a longword and another longword, " * 10
    shown: list[str] = []

    def look(text: str) -> str:
        shown.append(text)
        return text

    run("chat_completions", STREAMS["chat_completions"](saying(words, 2)), changing(look), list(range(0, 40_000, 90)), 16)
    assert len(shown) > 10
    assert {text.split(" ")[0].strip(",") for text in shown} <= {"a", "longword", "and", "another", ""}


def test_text_does_not_wait_for_more_than_the_window() -> None:
    stream = STREAMS["chat_completions"](saying("word " * 100, 5))
    through = FilteredStream("chat_completions", replacing("never there", ""), hold_back=20)
    so_far = asyncio.run(through.feed(stream[: len(stream) // 2]))
    heard = stream[: len(stream) // 2].count(b'"word "') * 5
    assert heard - 30 < sum(
        len(choice["delta"].get("content", "")) for event in payloads(so_far) for choice in event["choices"]
    )


@pytest.mark.parametrize("api", STREAMS)
def test_a_filter_that_fails_ends_the_answer_with_an_error(api: str) -> None:
    async def fail(_event: Json) -> Json:
        raise FilterFailed("Filter 'redact' failed.")

    out = run(api, STREAMS[api](saying("secret " * 40)), fail)
    assert b"secret" not in out
    last = payloads(out)[-1]
    assert "Filter 'redact' failed." in orjson.dumps(last).decode()
    assert b"[DONE]" not in out.partition(b"redact")[2] or api == "chat_completions"
    assert b"response.completed" not in out
    assert b"message_stop" not in out


@pytest.mark.parametrize("api", STREAMS)
def test_what_was_good_is_there_before_a_refusal(api: str) -> None:
    async def refuse(event: Json) -> Json:
        if b"bad" in orjson.dumps(event):
            raise FilterRejected("That is not said here.", status=403)
        return event

    stream = STREAMS[api](saying("good " * 40 + "bad " + "good " * 40, 5))
    through = FilteredStream(api, refuse, hold_back=16)
    out = asyncio.run(_fed(through, chunked(stream, list(range(0, len(stream), 100)))))
    assert through.error is not None
    assert out.count(b"good") > 1
    assert b"bad" not in out.replace(b"[", b"")
    assert b"That is not said here." in out


async def _fed(through: FilteredStream, chunks: list[bytes]) -> bytes:
    return b"".join([*[await through.feed(chunk) for chunk in chunks], await through.finish()])


def test_logprobs_do_not_tell_what_a_filter_has_taken_out() -> None:
    token = {"token": SECRET, "logprob": -0.1, "bytes": None, "top_logprobs": []}
    choice: Json = {"index": 0, "delta": {"role": "assistant", "content": SECRET}, "finish_reason": "stop"}
    chunk = {"id": "c", "object": "chat.completion.chunk", "choices": [choice | {"logprobs": {"content": [token]}}]}
    out = run("chat_completions", b"data: " + orjson.dumps(chunk) + b"\n\ndata: [DONE]\n\n", replacing(SECRET, "[gone]"))
    assert SECRET.encode() not in out
    assert [event["choices"][0]["finish_reason"] for event in payloads(out)] == [None, None, "stop"]


def test_choices_do_not_mix() -> None:
    def chunk(index: int, text: str) -> bytes:
        choice = {"index": index, "delta": {"content": text}, "finish_reason": None}
        return b"data: " + orjson.dumps({"id": "c", "choices": [choice]}) + b"\n\n"

    stream = b"".join(chunk(0, one) + chunk(1, other) for one, other in zip(SECRET, "harmless!", strict=True))
    out = payloads(run("chat_completions", stream, replacing(SECRET, "[gone]")))
    texts = [
        "".join(event["choices"][0]["delta"]["content"] for event in out if event["choices"][0]["index"] == n) for n in (0, 1)
    ]
    assert texts == ["[gone]", "harmless!"]


def test_an_error_comes_after_what_was_said_before_it() -> None:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": SECRET}, "finish_reason": None}]}
    error = {"error": {"message": "overloaded", "type": "server_error"}}
    stream = b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in (chunk, error))
    out = payloads(run("chat_completions", stream, replacing(SECRET, "[gone]")))
    assert (out[0]["choices"][0]["delta"]["content"], out[1:]) == ("[gone]", [error])


def test_an_event_that_nobody_can_read_ends_the_answer() -> None:
    out = run("chat_completions", b"data: not JSON with a secret\n\n", replacing("a", "b"))
    assert b"secret" not in out
    assert b"cannot read" in out
