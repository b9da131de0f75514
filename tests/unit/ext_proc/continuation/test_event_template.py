"""Events that are like the one before them are passed on by their bytes: what comes of it is what came of reading them all."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.sse import SseEvent, encode_event
from ext_proc.continuation.event_template import event_template
from ext_proc.continuation.merger import Place
from ext_proc.continuation.splicer import Broken, Splicer
from ext_proc.continuation.transcript import Mismatch
from ext_proc.errors import GatewayError
from tests.kit.llm_streams import chunked

PLACE = Place("key", ("delta",), "text")
ODD = ['"', "\\", '"}}\n\n', '","text":"', "\u2028", "9", "", "é", "\U0001f600"]
TEXTS = st.text(max_size=6) | st.sampled_from(ODD)


def chat(text: str, number: int, padding: str) -> dict[str, Any]:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
    return {"id": "c", "model": "m", "choices": [choice], "obfuscation": padding, "usage": {"prompt_tokens": number // 4}}


def thought(text: str, number: int, padding: str) -> dict[str, Any]:
    delta = {"role": "assistant", "content": "", "reasoning_content": text, "tool_calls": None}
    return {"id": "c", "choices": [{"index": number % 2, "delta": delta}], "p": padding}


def message(text: str, number: int, _padding: str) -> dict[str, Any]:
    return {"type": "content_block_delta", "index": number // 8, "delta": {"type": "text_delta", "text": text}}


def response(text: str, number: int, padding: str) -> dict[str, Any]:
    told = {"item_id": "i", "output_index": 0, "delta": text, "obfuscation": padding, "sequence_number": number}
    return {"type": "response.output_text.delta", **told}


EVENTS: dict[str, Callable[[str, int, str], dict[str, Any]]] = {
    "chat_completions": chat,
    "chat_completions thinking": thought,
    "messages": message,
    "responses": response,
}


LAST = {"index": 0, "delta": {}, "finish_reason": "stop"}
OTHERS: list[dict[str, Any]] = [
    {"id": "c", "model": "other", "choices": [], "usage": {"prompt_tokens": 7}},
    {"id": "c", "choices": [LAST]},
    {"type": "message_stop"},
    {"type": "ping"},
    {"type": "response.completed", "response": {"model": "other"}},
    {"error": {"message": "busy"}},
]
NOISE = [
    *[encode_event(orjson.dumps(event)) for event in OTHERS],
    encode_event(orjson.dumps(OTHERS[1])) + b"data: [DONE]\n\n",
    encode_event(orjson.dumps(OTHERS[1])) + encode_event(orjson.dumps(chat("word", 8, "x"))) + b"data: [DONE]\n\n",
    *[b": ping\n\n", b"data: {\n\n", b"id: 1\n", b"event: x\n", b"data: 1\n", b"data: ", b"\r", b"\n", b'"', b"\\", b"9", b"-"],
]
"""What is not like any, between and within events."""


def plainly(event: Any) -> bytes:
    return json.dumps(event).encode()


@st.composite
def streams(draw: st.DrawFn, make: Callable[[str, int, str], dict[str, Any]]) -> bytes:
    """Draw events that are alike, with what is not between and within them."""
    writers: list[Callable[[Any], bytes]] = [orjson.dumps, plainly]
    write = draw(st.sampled_from(writers))
    said = draw(st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=12))
    events = [make(text, number, padding) for number, (text, padding) in enumerate(said, 1)]
    stream = b"".join(encode_event(write(event), event.get("type", "")) for event in events)
    for at, noise in draw(st.lists(st.tuples(st.integers(0, 10_000), st.sampled_from(NOISE)), max_size=3)):
        place = at % (len(stream) + 1)
        # Half of them between events.
        place = stream.find(b"\n\n", place) + 2 if at % 2 and stream.find(b"\n\n", place) >= 0 else place
        stream = stream[:place] + noise + stream[place:]
    return stream


def outcome(api: str, chunks: list[bytes]) -> tuple[Any, ...]:
    """Return all that comes of a stream, and what is known of it when another takes over."""
    splicer, said, stopped = Splicer(api), b"", ""
    try:
        for chunk in chunks:
            said += splicer.feed(chunk)
        said += splicer.finish()
    except (Broken, Mismatch, GatewayError) as error:
        said, stopped = said + splicer.before_stop(), type(error).__name__
    told = (splicer.usage.usage, splicer.usage.model, splicer.has_ended, splicer.is_complete)
    splicer.begin()
    merger = {name: value for name, value in vars(splicer.merger).items() if name != "transcript"}
    return said, stopped, told, merger, splicer.merger.transcript.sent()


@pytest.mark.parametrize("kind", EVENTS)
@given(data=st.data())
def test_nothing_differs_from_what_is_made_of_a_stream_byte_by_byte(kind: str, data: st.DataObject) -> None:
    api, stream = kind.split()[0], data.draw(streams(EVENTS[kind]))
    chunks = chunked(stream, data.draw(st.lists(st.integers(0, 10_000), max_size=6)))
    # Byte by byte no event is ever there as a whole, so each of them is read.
    assert outcome(api, chunks) == outcome(api, [bytes([byte]) for byte in stream])


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("kind", EVENTS)
def test_whatever_comes_between_events_that_are_alike_is_read(kind: str, noise: bytes) -> None:
    api, make = kind.split()[0], EVENTS[kind]
    told = [encode_event(orjson.dumps(make("word", number, "x"))) for number in (8, 10, 8, 10)]
    before, after = b"".join(told[:2]) + noise, b"".join(told[2:])
    one_by_one = outcome(api, [bytes([byte]) for byte in before + after])
    assert outcome(api, [before + after]) == outcome(api, [before, after]) == one_by_one


@pytest.mark.parametrize("kind", EVENTS)
def test_events_that_are_alike_are_not_read(kind: str) -> None:
    make = EVENTS[kind]
    event = SseEvent(orjson.dumps(make("first", 16, "x")))
    place = Splicer(kind.split()[0]).merger.place(make("first", 16, "x"))
    assert place is not None
    like = event_template(event, place)
    assert like is not None
    alike = [encode_event(orjson.dumps(make(text, number, "y" * number))) for text, number in (("a", 16), ('"\\"', 18))]
    read = like.read(b"".join(alike) + b"data: {}\n\n", 0)
    assert read is not None
    assert (read.text, read.end) == ('a"\\"', len(b"".join(alike)))
    assert read.number == (18 if kind == "responses" else None)


@pytest.mark.parametrize(
    "data",
    [
        b'{"delta":{"text":"a"},"delta":{"text":"b"}}',
        b'{"delta":{"text":"a","text":"b"}}',
        b'{"text":"b","delta":{"text":"b"}}',
        b'{"\\"text":"b","delta":{"text":"b"}}',
        b'{"delta":{"te\\u0078t":"b"}}',
        b'{"delta":\n{"text":"b"}}',
        b'{"delta":{"text":"b"},"sequence_number":0}',
    ],
)
def test_what_cannot_be_told_for_sure_is_not_told(data: bytes) -> None:
    assert event_template(SseEvent(data), PLACE) is None


@pytest.mark.parametrize("value", [b'a","text":"b', b"\\", b"\n", b"\xff", b"\\ud800", b'a" ', b"a\\"])
def test_a_value_that_is_not_one_token_is_not_like_any(value: bytes) -> None:
    like = event_template(SseEvent(b'{"delta":{"text":"b"}}'), PLACE)
    assert like is not None
    assert like.read(b'data: {"delta":{"text":"%b"}}\n\n' % value, 0) is None
