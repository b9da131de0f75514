"""Several agents' answers become one that every client of the API can read: one id, one end, usage added up."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.apis.registry import spec_of
from ext_proc.orchestration.merging import READ_WHOLE, merge_whole, stream_merger
from ext_proc.orchestration.part import StreamMerger
from ext_proc.translate.stream import write_event
from tests.kit.folding import fold, payloads
from tests.kit.llm_streams import STREAMS, Answer, answers

Json = dict[str, Any]
APIS = st.sampled_from(["chat_completions", "messages", "responses"])
TEXTS: dict[str, Callable[[Json], str]] = {
    "chat_completions": lambda body: body["choices"][0]["message"].get("content") or "",
    "messages": lambda body: "".join(block.get("text", "") for block in body["content"]),
    "responses": lambda body: "".join(
        part["text"] for item in body["output"] if item["type"] == "message" for part in item["content"]
    ),
}
USAGE: dict[str, Callable[[Json], int]] = {
    "chat_completions": lambda usage: usage["prompt_tokens"] + usage["completion_tokens"],
    "responses": lambda usage: usage["total_tokens"],
    "messages": lambda usage: sum(count for count in usage.values() if isinstance(count, int)),
}
HELLO = Answer([], "", ["It ", "rains."], [], 0, "stop", (5, 1, 0, 7, 0))


def merged(api: str, told: list[Answer], *, labelled: bool = True) -> tuple[StreamMerger, bytes]:
    merger = stream_merger(api, {"stream_options": {"include_usage": True}}, "0" * 32, 1)
    out = b""
    for number, answer in enumerate(told):
        merger.begin(f"agent_{number}", labelled=labelled)
        reader = spec_of(api).new_reader()
        for event in [*reader.feed(STREAMS[api](answer)), *reader.finish()]:
            assert isinstance(event, dict)
            out += b"".join(write_event(made, api) for made in merger.event(event))
        out += b"".join(write_event(made, api) for made in merger.end())
    return merger, out + b"".join(write_event(made, api) for made in merger.finish())


@given(api=APIS, told=st.lists(answers(), min_size=1, max_size=3))
def test_parts_of_any_shape_fold_into_one_answer(api: str, told: list[Answer]) -> None:
    merger, stream = merged(api, told, labelled=False)
    folded = fold(api, stream)
    assert [part.text for part in merger.parts] == ["".join(answer.texts) for answer in told]
    assert all(part.is_complete for part in merger.parts)
    assert USAGE[api](folded["usage"]) == sum(sum(answer.usage) for answer in told)
    for answer in told:
        assert "".join(answer.texts) in TEXTS[api](folded)


@given(api=APIS, told=st.lists(answers(), min_size=1, max_size=3))
def test_every_event_keeps_its_agent_and_its_number(api: str, told: list[Answer]) -> None:
    events = payloads(merged(api, told)[1])
    if api == "chat_completions":
        assert {event["id"] for event in events} == {"chatcmpl-" + "0" * 32}
        calls = [call for event in events for choice in event["choices"] for call in choice["delta"].get("tool_calls", ())]
        assert sorted({call["index"] for call in calls}) == list(range(sum(len(answer.calls) for answer in told)))
        assert sum(bool(choice["finish_reason"]) for event in events for choice in event["choices"]) == 1
    elif api == "responses":
        assert [event["sequence_number"] for event in events] == list(range(len(events)))
        assert [event["type"] for event in events if "response" in event][-1] in ("response.completed", "response.incomplete")
        assert all("agent" in event["item"] for event in events if "item" in event)
    else:
        starts = [event for event in events if event["type"] == "content_block_start"]
        assert [event["index"] for event in starts] == list(range(len(starts)))
        assert all("agent" in event["content_block"] for event in starts)
        assert [event["type"] for event in events].count("message_stop") == 1


@pytest.mark.parametrize("api", ["chat_completions", "messages", "responses"])
def test_people_see_whose_part_begins(api: str) -> None:
    folded = fold(api, merged(api, [HELLO, replace(HELLO, texts=["Book it."])])[1])
    text = TEXTS[api](folded).replace("\n\n**", "**")
    assert text == "**agent_0**\n\nIt rains.**agent_1**\n\nBook it."


@pytest.mark.parametrize("api", ["chat_completions", "messages", "responses"])
def test_a_whole_answer_is_merged_as_a_stream_is(api: str) -> None:
    told = [HELLO, replace(HELLO, texts=["Book it."])]
    bodies = [fold(api, STREAMS[api](answer)) for answer in told]
    parts = [(READ_WHOLE[api](f"agent_{number}", body), body) for number, body in enumerate(bodies)]
    whole = merge_whole(api, parts, "0" * 32, labelled=True)
    streamed = fold(api, merged(api, told)[1])
    assert TEXTS[api](whole) == TEXTS[api](streamed)
    assert USAGE[api](whole["usage"]) == USAGE[api](streamed["usage"]) == 26
    assert whole["id"] == streamed["id"]


@pytest.mark.parametrize("api", ["chat_completions", "messages", "responses"])
def test_a_part_that_broke_off_is_closed_and_explained(api: str) -> None:
    merger = stream_merger(api, {}, "0" * 32, 1)
    out = b""
    reader = spec_of(api).new_reader()
    merger.begin("agent_0", labelled=True)
    half = STREAMS[api](HELLO)
    for event in reader.feed(half[: half.index(b"rains")]):
        assert isinstance(event, dict)
        out += b"".join(write_event(made, api) for made in merger.event(event))
    for made in (*merger.end(), *merger.note("\n(agent_0 broke off.)"), *merger.finish()):
        out += write_event(made, api)
    assert not merger.parts[0].is_complete
    assert TEXTS[api](fold(api, out)).endswith("(agent_0 broke off.)")
