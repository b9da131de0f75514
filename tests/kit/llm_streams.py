"""Hypothesis strategies: answers of a model, and the streams in which each API's servers tell them."""

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import orjson
from hypothesis import strategies as st

from tests.kit.event_stream import encode_events

Json = dict[str, Any]

text = st.text(min_size=1, max_size=12).filter(str.strip)
json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=12,
)
json_objects = st.dictionaries(st.text(max_size=8), json_values, max_size=4)


@dataclass(frozen=True)
class Answer:
    """What a model said, in pieces."""

    thoughts: list[str]
    signature: str
    texts: list[str]
    calls: list[tuple[str, Json]]
    cut: int
    """Where arguments are split."""
    finish: str
    """As Chat Completions calls it."""
    usage: tuple[int, int, int, int, int]
    """Input beyond the cache, read from it, written to it, output beyond reasoning, reasoning."""


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    calls = draw(st.lists(st.tuples(st.sampled_from(["get_weather", "now", "write"]), json_objects), max_size=3))
    finish = "tool_calls" if calls else draw(st.sampled_from(["stop", "length", "content_filter"]))
    return Answer(
        thoughts=draw(st.lists(text, max_size=2)),
        signature=draw(st.sampled_from(["", "c2ln"])),
        texts=draw(st.lists(text, max_size=3)),
        calls=calls,
        cut=draw(st.integers(0, 20)),
        finish=finish,
        usage=draw(st.tuples(*[st.integers(0, 9999)] * 5)),
    )


def chunked(data: bytes, cuts: list[int]) -> list[bytes]:
    """Split bytes at positions."""
    edges = [0, *sorted({cut % (len(data) + 1) for cut in cuts}), len(data)]
    return [data[start:end] for start, end in pairwise(edges)]


def _pieces(arguments: Json, cut: int) -> list[str]:
    whole = orjson.dumps(arguments).decode()
    return [piece for piece in (whole[:cut], whole[cut:]) if piece]


def chat_stream(answer: Answer) -> bytes:
    """Tell an answer as a server of Chat Completions does."""
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"reasoning_content": piece, "reasoning_details": [_detail(text=piece)]} for piece in answer.thoughts]
    if answer.thoughts and answer.signature:
        deltas.append({"reasoning_details": [_detail(signature=answer.signature)]})
    deltas += [{"content": piece} for piece in answer.texts]
    for index, (name, arguments) in enumerate(answer.calls):
        head = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
        deltas.append({"tool_calls": [head]})
        pieces = _pieces(arguments, answer.cut)
        deltas += [{"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in pieces]
    fresh, read, written, said, thought = answer.usage
    usage = {
        "prompt_tokens": fresh + read + written,
        "completion_tokens": said + thought,
        "total_tokens": sum(answer.usage),
        "prompt_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
        "completion_tokens_details": {"reasoning_tokens": thought},
    }
    chunks = [_chunk([{"index": 0, "delta": delta, "finish_reason": None}]) for delta in deltas]
    chunks.append(_chunk([{"index": 0, "delta": {}, "finish_reason": answer.finish}]))
    chunks.append({**_chunk([]), "usage": usage})
    return b"".join(b"data: " + orjson.dumps(chunk) + b"\n\n" for chunk in chunks) + b"data: [DONE]\n\n"


def _detail(**fields: str) -> Json:
    return {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": 0, **fields}


def _chunk(choices: list[Json]) -> Json:
    return {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "gpt-5", "choices": choices}


_STOPS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal", "tool_calls": "tool_use"}


def message_stream(answer: Answer) -> bytes:
    """Tell an answer as Anthropic does."""
    fresh, read, written, said, thought = answer.usage
    counts = {"input_tokens": fresh, "cache_read_input_tokens": read, "cache_creation_input_tokens": written}
    message: Json = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-sonnet-4-6", "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": {**counts, "output_tokens": 1}}
    events: list[Json] = [{"type": "message_start", "message": message}, {"type": "ping"}]
    blocks: list[tuple[Json, list[Json]]] = []
    if answer.thoughts:
        deltas: list[Json] = [{"type": "thinking_delta", "thinking": piece} for piece in answer.thoughts]
        deltas.append({"type": "signature_delta", "signature": answer.signature})
        blocks.append(({"type": "thinking", "thinking": "", "signature": ""}, deltas))
    if answer.texts:
        blocks.append(({"type": "text", "text": ""}, [{"type": "text_delta", "text": piece} for piece in answer.texts]))
    for index, (name, arguments) in enumerate(answer.calls):
        pieces = _pieces(arguments, answer.cut) if arguments else []
        block = {"type": "tool_use", "id": f"toolu_{index}", "name": name, "input": {}}
        blocks.append((block, [{"type": "input_json_delta", "partial_json": piece} for piece in ["", *pieces]]))
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "content_block_delta", "index": index, "delta": delta} for delta in deltas]
        events.append({"type": "content_block_stop", "index": index})
    usage = {"output_tokens": said + thought, "output_tokens_details": {"thinking_tokens": thought}}
    delta = {"stop_reason": _STOPS[answer.finish], "stop_sequence": None}
    events += [{"type": "message_delta", "delta": delta, "usage": usage}, {"type": "message_stop"}]
    return _named(events)


def response_stream(answer: Answer) -> bytes:
    """Tell an answer as OpenAI's Responses does."""
    events: list[Json] = [{"type": "response.created", "response": _response([], "in_progress", answer)}]
    items: list[Json] = []
    if answer.thoughts:
        sealed = f"gAAAA{answer.signature}" if answer.signature else None  # As OpenAI's begins.
        item: Json = {"id": "rs_0", "type": "reasoning", "summary": [], "encrypted_content": None}
        told = [("response.reasoning_summary_text.delta", piece) for piece in answer.thoughts]
        summary = [{"type": "summary_text", "text": "".join(answer.thoughts)}]
        events += _item(items, item, told, {"summary": summary, "encrypted_content": sealed})
    if answer.texts:
        item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "in_progress", "content": []}
        told = [("response.output_text.delta", piece) for piece in answer.texts]
        part = {"type": "output_text", "text": "".join(answer.texts), "annotations": [], "logprobs": []}
        events += _item(items, item, told, {"status": "completed", "content": [part]})
    for index, (name, arguments) in enumerate(answer.calls):
        item = {"id": f"fc_{index}", "type": "function_call", "status": "in_progress", "call_id": f"call_{index}"}
        item |= {"name": name, "arguments": ""}
        told = [("response.function_call_arguments.delta", piece) for piece in _pieces(arguments, answer.cut)]
        events += _item(items, item, told, {"status": "completed", "arguments": orjson.dumps(arguments).decode()})
    status = "incomplete" if answer.finish in ("length", "content_filter") else "completed"
    events.append({"type": f"response.{status}", "response": _response(items, status, answer)})
    return _named([{**event, "sequence_number": number} for number, event in enumerate(events)])


def _item(items: list[Json], item: Json, told: list[tuple[str, str]], end: Json) -> list[Json]:
    index = len(items)
    items.append({**item, **end})
    place = {"output_index": index, "item_id": item["id"], "content_index": 0, "summary_index": 0}
    deltas = [{"type": kind, **place, "delta": piece} for kind, piece in told]
    added = {"type": "response.output_item.added", "output_index": index, "item": item}
    return [added, *deltas, {"type": "response.output_item.done", "output_index": index, "item": items[-1]}]


def _response(items: list[Json], status: str, answer: Answer) -> Json:
    fresh, read, written, said, thought = answer.usage
    reason = {"length": "max_output_tokens", "content_filter": "content_filter"}.get(answer.finish)
    return {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": status,
        "model": "gpt-5",
        "output": list(items),
        "incomplete_details": {"reason": reason} if status == "incomplete" else None,
        "usage": {
            "input_tokens": fresh + read + written,
            "input_tokens_details": {"cached_tokens": read, "cache_write_tokens": written},
            "output_tokens": said + thought,
            "output_tokens_details": {"reasoning_tokens": thought},
            "total_tokens": sum(answer.usage),
        },
    }


def _named(events: list[Json]) -> bytes:
    return b"".join(b"event: " + event["type"].encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n" for event in events)


def converse_stream(answer: Answer) -> bytes:
    """Tell an answer as Amazon Bedrock does."""
    blocks: list[list[Json]] = []
    if answer.thoughts:
        pieces = [{"reasoningContent": {"text": piece}} for piece in answer.thoughts]
        blocks.append([*pieces, *([{"reasoningContent": {"signature": answer.signature}}] if answer.signature else [])])
    if answer.texts:
        blocks.append([{"text": piece} for piece in answer.texts])
    for number, (name, arguments) in enumerate(answer.calls):
        pieces = [{"toolUse": {"input": piece}} for piece in _pieces(arguments, answer.cut)] if arguments else []
        blocks.append([{"toolUseId": f"tooluse_{number}", "name": name}, *pieces])
    events: list[Json] = [{"messageStart": {"role": "assistant"}}]
    for index, (first, *others) in enumerate(blocks):
        place, is_call = {"contentBlockIndex": index}, "toolUseId" in first
        # Only calls are announced.
        events += [{"contentBlockStart": {**place, "start": {"toolUse": first}}}] if is_call else []
        events += [{"contentBlockDelta": {**place, "delta": d}} for d in (others if is_call else [first, *others])]
        events.append({"contentBlockStop": place})
    fresh, read, written, said, thought = answer.usage
    usage = {
        "inputTokens": fresh,
        "outputTokens": said + thought,
        "totalTokens": sum(answer.usage),
        "cacheReadInputTokens": read,
        "cacheWriteInputTokens": written,
    }
    events.append({"messageStop": {"stopReason": _REASONS[answer.finish]}})
    events.append({"metadata": {"usage": usage, "metrics": {"latencyMs": 7}}})
    # Bedrock pads its events, so that their lengths do not tell what is in them.
    return encode_events({kind: {**told, "p": "abcdef"} for kind, told in event.items()} for event in events)


_REASONS = {"stop": "end_turn", "length": "max_tokens", "content_filter": "guardrail_intervened", "tool_calls": "tool_use"}

STREAMS = {"chat_completions": chat_stream, "messages": message_stream, "responses": response_stream}
"""How the APIs that clients speak, too, tell an answer."""
UPSTREAM_STREAMS = STREAMS | {"converse": converse_stream}
