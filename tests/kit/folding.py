"""Streams folded into the whole answer that they stand for, as a client would: the yardstick for stream translators."""

from typing import Any

import orjson

from ext_proc.codec.sse import SseDecoder, SseEvent
from tests.kit.event_stream import decode_events

Json = dict[str, Any]


def sse_events(stream: bytes) -> list[SseEvent]:
    """Read a whole stream."""
    decoder = SseDecoder()
    return [*decoder.feed(stream), *decoder.finish()]


def payloads(stream: bytes) -> list[Json]:
    """Read the JSON of a whole stream, without [DONE] and comments."""
    return [orjson.loads(e.data) for e in sse_events(stream) if e.data is not None and e.data != b"[DONE]"]


def fold(api: str, stream: bytes) -> Json:
    """Fold a complete stream of one API."""
    if api == "converse":
        return fold_converse(decode_events(stream))
    return {"messages": fold_message, "chat_completions": fold_chat, "responses": fold_response}[api](payloads(stream))


def fold_message(events: list[Json]) -> Json:
    """Fold the events of a message stream; out of order is an error."""
    message: Json = {}
    buffers: dict[int, str] = {}
    for event in events:
        match event["type"]:
            case "message_start":
                assert not message
                message = {**event["message"], "content": []}
            case "content_block_start":
                assert event["index"] == len(message["content"])
                assert not buffers
                message["content"].append(dict(event["content_block"]))
                buffers[event["index"]] = ""
            case "content_block_delta":
                assert event["index"] in buffers
                _delta(message["content"][event["index"]], event["delta"], buffers, event["index"])
            case "content_block_stop":
                text = buffers.pop(event["index"])
                if text:
                    message["content"][-1]["input"] = orjson.loads(text)
            case "message_delta":
                assert not buffers
                message.update(event["delta"])
                message["usage"] = {**message["usage"], **event["usage"]}
    return message


def _delta(block: Json, delta: Json, buffers: dict[int, str], index: int) -> None:
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] = delta["signature"]
        case "input_json_delta":
            buffers[index] += delta["partial_json"]


def fold_chat(chunks: list[Json]) -> Json:
    """Fold the chunks of a chat stream with one choice."""
    message: Json = {"role": "assistant", "content": None}
    calls: dict[int, Json] = {}
    body: Json = {"object": "chat.completion", "usage": None}
    finish = None
    for chunk in chunks:
        body.update({name: chunk[name] for name in ("id", "model", "created", "service_tier") if name in chunk})
        body["usage"] = chunk.get("usage") or body["usage"]
        for choice in chunk["choices"]:
            finish = choice["finish_reason"] or finish
            for name, value in choice["delta"].items():
                if name == "tool_calls":
                    for call in value:
                        _call(calls, call)
                elif name == "annotations":
                    message.setdefault(name, []).extend(value)
                elif name == "reasoning_details":
                    _details(message.setdefault(name, []), value)
                elif name != "role" and value is not None:
                    message[name] = (message.get(name) or "") + value
    if calls:
        message["tool_calls"] = [calls[index] for index in sorted(calls)]
    return {**body, "choices": [{"index": 0, "message": message, "finish_reason": finish, "logprobs": None}]}


def _call(calls: dict[int, Json], delta: Json) -> None:
    call = calls.setdefault(delta["index"], {"id": "", "type": "function", "function": {"name": "", "arguments": ""}})
    function = delta.get("function") or {}
    call["id"] = delta.get("id") or call["id"]
    call["function"]["name"] += function.get("name") or ""
    call["function"]["arguments"] += function.get("arguments") or ""


def _details(known: list[Json], pieces: list[Json]) -> None:
    for piece in pieces:
        if known and known[-1]["index"] == piece["index"] and known[-1]["type"] == piece["type"]:
            for name in ("text", "signature"):
                if name in piece:
                    known[-1][name] = known[-1].get(name, "") + piece[name]
        else:
            known.append(dict(piece))


def fold_response(events: list[Json]) -> Json:
    """Fold the events of a Responses stream: from their deltas, checked against what the terminal event repeats."""
    items: list[Json] = []
    assert [event["sequence_number"] for event in events] == list(range(len(events)))
    for event in events[:-1]:
        match event["type"]:
            case "response.output_item.added":
                assert event["output_index"] == len(items)
                items.append({**event["item"]})
            case "response.output_text.delta" | "response.refusal.delta":
                items[event["output_index"]]["said"] = items[event["output_index"]].get("said", "") + event["delta"]
            case "response.function_call_arguments.delta":
                items[event["output_index"]]["arguments"] += event["delta"]
            case "response.custom_tool_call_input.delta":
                items[event["output_index"]]["input"] += event["delta"]
            case "response.output_item.done":
                _same_item(items[event["output_index"]], event["item"])
                items[event["output_index"]] = event["item"]
    response: Json = events[-1]["response"]
    assert response["output"] == items
    return response


def _same_item(folded: Json, done: Json) -> None:
    assert folded["id"] == done["id"]
    match done["type"]:
        case "message":
            assert folded.get("said", "") == "".join(part.get("text") or part.get("refusal") or "" for part in done["content"])
        case "function_call":
            assert folded["arguments"] == done["arguments"]
        case "custom_tool_call":
            assert folded["input"] == done["input"]


def fold_converse(events: list[Json]) -> Json:
    """Fold the events of a Converse stream into the answer that Bedrock would have given without one."""
    blocks: dict[int, Json] = {}
    answer: Json = {"output": {"message": {"role": "assistant", "content": []}}}
    for event in events:
        [(kind, told)] = event.items()
        match kind:
            case "contentBlockStart":
                blocks[told["contentBlockIndex"]] = {"toolUse": {**told["start"]["toolUse"], "input": ""}}
            case "contentBlockDelta":
                _add_piece(blocks.setdefault(told["contentBlockIndex"], {}), told["delta"])
            case "messageStop" | "metadata":
                answer |= told
    for _, block in sorted(blocks.items()):
        if "toolUse" in block:
            block["toolUse"]["input"] = orjson.loads(block["toolUse"]["input"] or "{}")
        answer["output"]["message"]["content"].append(block)
    return answer


def _add_piece(block: Json, delta: Json) -> None:
    [(kind, piece)] = delta.items()
    match kind:
        case "text":
            block["text"] = block.get("text", "") + piece
        case "toolUse":
            block["toolUse"]["input"] += piece["input"]
        case "reasoningContent" if "redactedContent" in piece:
            block["reasoningContent"] = piece
        case "reasoningContent":
            thought = block.setdefault("reasoningContent", {"reasoningText": {"text": ""}})["reasoningText"]
            thought |= {name: thought.get(name, "") + value for name, value in piece.items()}
        case "citation":
            block["citationsContent"] = {"content": [{"text": block.pop("text", "")}], "citations": [piece]}
