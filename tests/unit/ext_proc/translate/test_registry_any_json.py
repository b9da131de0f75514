"""Whatever clients and providers send: a result or the refusal that is documented, and never another exception."""

import contextlib
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext_proc.codec.json_body import parse_object, write_json
from ext_proc.errors import MalformedBody, UnsupportedFeature, UpstreamError
from ext_proc.translate.quirks import LOSSLESS
from ext_proc.translate.registry import PAIRS, translation
from ext_proc.translate.translation import Exchange
from protos.contract.quirks import Quirks
from tests.kit import almost_right
from tests.kit.almost_right import almost, dumps, written
from tests.kit.folding import payloads, sse_events

ALL = sorted(PAIRS)
MODELS = ("upstream-model", "claude-sonnet-4-5", "anthropic.claude-opus-4-6-v1", "amazon.nova-2-lite-v1:0", "gpt-5.2")
QUIRKS = (Quirks(), LOSSLESS, Quirks(joins_text=True, reasoning_history="reasoning_content", thinking="budget"))
few = settings(max_examples=settings().max_examples // 2)
some_model, some_quirks = st.sampled_from(MODELS), st.sampled_from(QUIRKS)


def exchange(request: dict[str, Any], quirks: Quirks = QUIRKS[0]) -> Exchange:
    return Exchange(request=request, id="0" * 32, created=1, quirks=quirks, upstream_model="upstream-model")


def request_of(client: str) -> st.SearchStrategy[Any]:
    return almost(almost_right.requests(client))


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(data=st.data(), model=some_model, quirks=some_quirks)
def test_a_request_is_translated_or_refused(
    client: str, upstream: str, data: st.DataObject, model: str, quirks: Quirks
) -> None:
    raw = dumps(data.draw(request_of(client)))
    with contextlib.suppress(MalformedBody, UnsupportedFeature):
        body = parse_object(raw)
        assert write_json(translation(client, upstream, exchange(body, quirks)).request(upstream_model=model))


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(data=st.data())
def test_an_answer_is_translated_or_an_upstream_error(client: str, upstream: str, data: st.DataObject) -> None:
    raw = dumps(data.draw(almost(almost_right.answers(upstream))))
    with contextlib.suppress(MalformedBody, UpstreamError):
        answer = parse_object(raw)
        assert write_json(translation(client, upstream, exchange({})).response(answer).body)


@pytest.mark.parametrize(("client", "upstream"), ALL)
@few
@given(data=st.data())
def test_a_stream_ends_once(client: str, upstream: str, data: st.DataObject) -> None:
    events = data.draw(almost(almost_right.streams(upstream)))
    stream = translation(client, upstream, exchange({"stream": True})).stream()
    out = b"".join([*(stream.feed(written(event, upstream)) for event in events), stream.finish()])
    ends = [event for event in payloads(out) if event.get("type") in ENDS or "error" in event]
    assert len(ends) + sum(event.data == b"[DONE]" for event in sse_events(out)) == 1


ENDS = ("message_stop", "error", "response.completed", "response.incomplete", "response.failed")


def test_counts_of_the_cache_under_what_is_no_lifetime() -> None:
    usage = {"inputTokens": 1, "outputTokens": 1, "cacheDetails": [{"ttl": ["5m"], "inputTokens": 1}]}
    answer = {"output": {"message": {"content": [{"text": "Hi"}]}}, "stopReason": "end_turn", "usage": usage}
    read = translation("messages", "converse", exchange({})).response(answer)
    assert read.body["usage"]["cache_creation"] == {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0}


def test_json_in_strings_that_is_too_deep_to_be_sent_is_refused() -> None:
    called = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "[" * 500 + "]" * 500}}
    body = {"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "tool_calls": [called]}]}
    with pytest.raises(MalformedBody, match="nested too deep"):
        write_json(translation("chat_completions", "messages", exchange(body)).request(upstream_model="m"))


@pytest.mark.parametrize(("client", "upstream"), ALL)
def test_an_event_that_is_too_deep_ends_the_stream(client: str, upstream: str) -> None:
    stream = translation(client, upstream, exchange({"stream": True})).stream()
    deep = orjson.loads(almost_right.DEEP_TEXT)
    out = stream.feed(written({"metadata": deep} if upstream == "converse" else deep, upstream)) + stream.finish()
    assert stream.failed
    assert b"error" in out
