"""A whole answer -> the equivalent stream in the same API, for providers that send JSON instead of a requested stream."""

from collections.abc import Iterator
from itertools import count
from typing import Any, Final

import orjson

from ext_proc.apis.readers import CHAT_DONE
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import as_list, as_object
from ext_proc.translate.stream import write_event
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES

_GROWING: Final = {"text": ("text_delta", "text"), "thinking": ("thinking_delta", "thinking")}
_BEFORE: Final[JsonObject] = {"status": "in_progress", "output": [], "usage": None}


def stream_of(api: str, answer: JsonObject) -> bytes:
    """Return the events of an answer of Chat Completions, Messages or Responses.

    Raises:
        MalformedBody: it is not an answer of its API.
    """
    return b"".join(write_event(event, api) for event in _EVENTS[api](answer))


def _chat(answer: JsonObject) -> Iterator[JsonObject]:
    chunk = {**answer, "object": "chat.completion.chunk"}
    usage = chunk.pop("usage", None)
    choices = [as_object(choice, "choices[]") for choice in as_list(answer.get("choices"), "choices")]
    yield chunk | {"choices": [_delta(choice) for choice in choices]}
    ends = [{**choice, "delta": {}} for choice in choices]
    for end in ends:
        end.pop("message", None)
    yield chunk | {"choices": ends} | ({"usage": usage} if usage else {})
    yield CHAT_DONE


def _delta(choice: JsonObject) -> JsonObject:
    message = as_object(choice.get("message"), "choices[].message")
    delta = {name: value for name, value in message.items() if name != "tool_calls"}
    calls = [as_object(call, "tool_calls[]") for call in as_list(message.get("tool_calls"), "tool_calls")]
    if calls:
        delta["tool_calls"] = [{"index": index, **call} for index, call in enumerate(calls)]
    return {"index": choice.get("index", 0), "delta": delta, "finish_reason": None}


def _message(answer: JsonObject) -> Iterator[JsonObject]:
    yield {"type": "message_start", "message": {**answer, "content": [], "stop_reason": None, "stop_sequence": None}}
    for index, block in enumerate(as_list(answer.get("content"), "content")):
        yield from ({**event, "index": index} for event in _block(as_object(block, "content[]")))
    ends = {"stop_reason": answer.get("stop_reason"), "stop_sequence": answer.get("stop_sequence")}
    yield {"type": "message_delta", "delta": ends, "usage": answer.get("usage") or {}}
    yield {"type": "message_stop"}


def _block(block: JsonObject) -> Iterator[JsonObject]:
    begun, deltas = {**block}, list[JsonObject]()
    kind, field = _GROWING.get(str(block.get("type")), ("", ""))
    if field and block.get(field):
        begun[field] = ""
        deltas.append({"type": kind, field: block[field]})
    if block.get("signature"):
        begun["signature"] = ""
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
    deltas += [{"type": "citations_delta", "citation": citation} for citation in begun.pop("citations", None) or ()]
    if block.get("input"):
        begun["input"] = {}
        deltas.append({"type": "input_json_delta", "partial_json": orjson.dumps(block["input"]).decode()})
    yield {"type": "content_block_start", "content_block": begun}
    yield from ({"type": "content_block_delta", "delta": delta} for delta in deltas)
    yield {"type": "content_block_stop"}


def _response(answer: JsonObject) -> Iterator[JsonObject]:
    numbers = count()
    for event in _unnumbered(answer):
        yield {**event, "sequence_number": next(numbers)}


def _unnumbered(answer: JsonObject) -> Iterator[JsonObject]:
    for kind in ("response.created", "response.in_progress"):
        yield {"type": kind, "response": answer | _BEFORE}
    for index, item in enumerate(as_list(answer.get("output"), "output")):
        yield from ({**event, "output_index": index} for event in _item(as_object(item, "output[]")))
    kind = "response.incomplete" if answer.get("status") == "incomplete" else "response.completed"
    yield {"type": kind, "response": answer}


def _item(item: JsonObject) -> Iterator[JsonObject]:
    begun: JsonObject = item | ({"status": "in_progress"} if "status" in item else {})
    pieces = list[JsonObject]()
    match item.get("type"):
        case "message":
            begun["content"] = []
            for index, part in enumerate(as_list(item.get("content"), "content")):
                pieces += ({**event, "content_index": index} for event in _part(as_object(part, "content[]")))
        case "function_call":
            begun["arguments"] = ""
            pieces.append({"type": "response.function_call_arguments.delta", "delta": item.get("arguments")})
            pieces.append({"type": "response.function_call_arguments.done", "arguments": item.get("arguments")})
        case "reasoning":
            begun["summary"] = []
            for index, part in enumerate(as_list(item.get("summary"), "summary")):
                pieces += ({**event, "summary_index": index} for event in _summary(as_object(part, "summary[]")))
    yield {"type": "response.output_item.added", "item": begun}
    yield from ({**piece, "item_id": item.get("id")} for piece in pieces)
    yield {"type": "response.output_item.done", "item": item}


def _part(part: JsonObject) -> Iterator[JsonObject]:
    field = "refusal" if part.get("type") == "refusal" else "text"
    name = "response.refusal" if field == "refusal" else "response.output_text"
    more: dict[str, Any] = {} if field == "refusal" else {"logprobs": part.get("logprobs") or []}
    yield {"type": "response.content_part.added", "part": part | {field: ""}}
    yield {"type": f"{name}.delta", "delta": part.get(field), **more}
    yield {"type": f"{name}.done", field: part.get(field), **more}
    yield {"type": "response.content_part.done", "part": part}


def _summary(part: JsonObject) -> Iterator[JsonObject]:
    yield {"type": "response.reasoning_summary_part.added", "part": part | {"text": ""}}
    yield {"type": "response.reasoning_summary_text.delta", "delta": part.get("text")}
    yield {"type": "response.reasoning_summary_text.done", "text": part.get("text")}
    yield {"type": "response.reasoning_summary_part.done", "part": part}


_EVENTS: Final = {CHAT_COMPLETIONS: _chat, MESSAGES: _message, RESPONSES: _response}
WITH_EVENTS: Final = frozenset(_EVENTS)
"""APIs whose answers can be converted to events."""
