"""A stream -> the equivalent whole answer in the same API, for providers that send a stream that was not requested."""

from collections.abc import Iterable
from typing import Any, Final

import orjson

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import read_error
from ext_proc.apis.readers import CHAT_DONE, PING, StreamEvent
from ext_proc.apis.registry import spec_of
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody, UpstreamError
from ext_proc.translate.json_fields import as_list, as_object
from ext_proc.translate.stream import CUT_OFF
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES

_WHOLE: Final = frozenset({"id", "index", "type", "name", "role", "format", "object", "model", "created"})
"""Members of a delta that are complete; other texts are concatenated."""
_GROWING: Final = {"text_delta": "text", "thinking_delta": "thinking", "signature_delta": "signature"}
_LAST: Final = ("response.completed", "response.incomplete")


def whole_answer(api: str, stream: bytes) -> JsonObject | ProviderError:
    """Fold a stream of Chat Completions, Messages or Responses; return the error if it failed.

    Raises:
        UpstreamError: it is truncated.
        MalformedBody: it is not a stream of its API.
    """
    reader = spec_of(api).new_reader()
    events: list[JsonObject] = []
    for event in (*reader.feed(stream), *reader.finish()):
        told = _content(event)
        if isinstance(told, ProviderError):
            return told
        if told is not None:
            events.append(told)
    return _FOLDS[api](events)


def _content(event: StreamEvent) -> JsonObject | ProviderError | None:
    """Return the content of an event; None if it is empty or unreadable."""
    if isinstance(event, MalformedBody) or event is PING or event is CHAT_DONE:
        return None
    if isinstance(event, dict) and event.get("type") == "response.failed":
        return read_error(event.get("response"))
    return event


def _chat(events: Iterable[JsonObject]) -> JsonObject:
    answer: JsonObject = {}
    choices: dict[Any, JsonObject] = {}
    for event in events:
        answer |= {name: value for name, value in event.items() if name != "choices" and value is not None}
        for choice in as_list(event.get("choices"), "choices"):
            _add_choice(choices, as_object(choice, "choices[]"))
    if not choices or not all(choice.get("finish_reason") for choice in choices.values()):
        raise UpstreamError(CUT_OFF, code="stream_cut_off")
    return answer | {"object": "chat.completion", "choices": [choices[index] for index in sorted(choices, key=str)]}


def _add_choice(choices: dict[Any, JsonObject], choice: JsonObject) -> None:
    empty = {"index": choice.get("index", 0), "message": {"role": "assistant", "content": None}, "finish_reason": None}
    known = choices.setdefault(choice.get("index", 0), empty)
    _merge(known["message"], as_object(choice.get("delta") or {}, "choices[].delta"))
    _merge(known, {name: value for name, value in choice.items() if name != "delta"})


def _merge(known: JsonObject, delta: JsonObject) -> None:
    for name, value in delta.items():
        old = known.get(name)
        if isinstance(value, str) and isinstance(old, str) and name not in _WHOLE:
            known[name] = old + value
        elif isinstance(value, dict) and isinstance(old, dict):
            _merge(old, value)
        elif isinstance(value, list) and isinstance(old, list):
            _merge_items(old, value)
        elif value is not None or name not in known:
            known[name] = value


def _merge_items(known: list[Any], items: list[Any]) -> None:
    """Merge items into a list: an item with an existing index extends that one."""
    for item in items:
        place = (item.get("index"), item.get("type", "function")) if isinstance(item, dict) else (None, None)
        same = (old for old in known if isinstance(old, dict) and (old.get("index"), old.get("type", "function")) == place)
        begun = next(same, None) if place[0] is not None else None
        if begun is None:
            known.append(item)
        else:
            _merge(begun, item)


def _message(events: Iterable[JsonObject]) -> JsonObject:
    message: JsonObject = {}
    blocks: dict[Any, JsonObject] = {}
    arguments: dict[Any, str] = {}
    for event in events:
        index = event.get("index", 0)
        match event.get("type"):
            case "message_start":
                message = {**as_object(event.get("message"), "message")}
            case "content_block_start":
                blocks[index] = {**as_object(event.get("content_block"), "content_block")}
            case "content_block_delta" if index in blocks:
                delta = as_object(event.get("delta"), "delta")
                arguments[index] = arguments.get(index, "") + str(delta.get("partial_json", ""))
                _grow(blocks[index], delta)
            case "message_delta":
                usage = {**(message.get("usage") or {}), **(event.get("usage") or {})}
                message |= {**as_object(event.get("delta"), "delta"), "usage": usage}
    if not message.get("stop_reason"):
        raise UpstreamError(CUT_OFF, code="stream_cut_off")
    for index, text in arguments.items():
        if text:
            blocks[index]["input"] = _parsed(text)
    return message | {"content": [blocks[index] for index in sorted(blocks, key=str)]}


def _grow(block: JsonObject, delta: JsonObject) -> None:
    field = _GROWING.get(str(delta.get("type")))
    if field is not None:
        block[field] = str(block.get(field) or "") + str(delta.get(field) or "")
    elif delta.get("type") == "citations_delta":
        block["citations"] = [*(block.get("citations") or []), delta.get("citation")]


def _parsed(text: str) -> object:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        raise MalformedBody("arguments that are not JSON") from None


def _response(events: Iterable[JsonObject]) -> JsonObject:
    items: dict[Any, JsonObject] = {}
    for event in events:
        if event.get("type") == "response.output_item.done":
            items[event.get("output_index", 0)] = as_object(event.get("item"), "item")
        if event.get("type") in _LAST:
            response = as_object(event.get("response"), "response")
            # Some hosts omit the items here, since all were sent before.
            return response if response.get("output") else response | {"output": list(items.values())}
    raise UpstreamError(CUT_OFF, code="stream_cut_off")


_FOLDS: Final = {CHAT_COMPLETIONS: _chat, MESSAGES: _message, RESPONSES: _response}
