"""Converts ids of tool calls and names of tools to forms that an upstream accepts, in bodies of its API.

An id becomes a digest, the same for a call and for its result. A name is shortened, and restored in the answer.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.translation import CHAT_COMPLETIONS, CONVERSE, MESSAGES, RESPONSES
from protos.contract.quirks import Quirks

Field = tuple[JsonObject, str]
"""An object, and the name of one of its members."""

_SHORT: Final = 9
"""Characters of an id where more are not accepted."""
_DIGEST: Final = 8
"""Length of the digest in shortened names."""
_NOT_OF_NAMES: Final = re.compile(r"[^a-zA-Z0-9_-]")


def fit_call_ids(body: JsonObject, api: str, quirks: Quirks) -> None:
    """Replace ids in a request that the upstream would reject."""
    if not quirks.call_ids:
        return
    accepts = pattern(quirks.call_ids).fullmatch
    for holder, name in _id_fields(body, api):
        given = holder.get(name)
        if isinstance(given, str) and not accepts(given):
            holder[name] = _id_for(given, quirks.call_ids)


def fit_tool_names(body: JsonObject, api: str, quirks: Quirks) -> dict[str, str]:
    """Shorten names in a request that the upstream would reject; return the mapping to the original names."""
    longest = quirks.tool_name_length
    fields = list(_name_fields(body, api))
    renamed = {name: _name_for(name, longest) for holder, key in fields if not _fits(name := str(holder[key]), longest)}
    for holder, key in fields if renamed else ():
        holder[key] = renamed.get(holder[key], holder[key])
    return {short: name for name, short in renamed.items()}


def restore_tool_names(answer: JsonObject, api: str, names: Mapping[str, str]) -> None:
    """Restore the client's names in an answer, or in an event of a stream, of the upstream's API."""
    for holder, key in _answer_fields(answer, api):
        holder[key] = names.get(holder[key], holder[key])


@lru_cache(maxsize=64)
def pattern(text: str) -> re.Pattern[str]:
    """Return a compiled pattern of the configuration, cached."""
    return re.compile(text)


@lru_cache(maxsize=4096)
def _id_for(given: str, wanted: str) -> str:
    digest = hashlib.sha256(given.encode(errors="surrogatepass")).hexdigest()
    candidates = (f"call_{digest[:32]}", digest[:32], digest[:_SHORT])
    return next((made for made in candidates if pattern(wanted).fullmatch(made)), given)


@lru_cache(maxsize=4096)
def _fits(name: str, longest: int) -> bool:
    return len(name) <= longest and not _NOT_OF_NAMES.search(name)


def _name_for(name: str, longest: int) -> str:
    digest = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:_DIGEST]
    return f"{_NOT_OF_NAMES.sub('_', name)[: longest - _DIGEST - 1]}_{digest}"


def _objects(value: Any) -> Iterator[JsonObject]:
    for item in value if isinstance(value, list) else ():
        if isinstance(item, dict):
            yield item


def _blocks(body: JsonObject) -> Iterator[JsonObject]:
    for message in _objects(body.get("messages")):
        yield from _objects(message.get("content"))


def _id_fields(body: JsonObject, api: str) -> Iterator[Field]:
    match api:
        case _ if api == CHAT_COMPLETIONS:
            for message in _objects(body.get("messages")):
                yield message, "tool_call_id"
                for call in _objects(message.get("tool_calls")):
                    yield call, "id"
        case _ if api == MESSAGES:
            for block in _blocks(body):
                kind = block.get("type")
                if kind == "tool_result":
                    yield block, "tool_use_id"
                elif kind == "tool_use":
                    yield block, "id"
        case _ if api == RESPONSES:
            for item in _objects(body.get("input")):
                yield item, "call_id"


def _name_fields(body: JsonObject, api: str) -> Iterator[Field]:
    match api:
        case _ if api == CHAT_COMPLETIONS:
            yield from _inner((*_objects(body.get("tools")), *_of(body, "tool_choice")), "function", "custom")
            for message in _objects(body.get("messages")):
                if calls := message.get("tool_calls"):
                    yield from _inner(_objects(calls), "function", "custom")
        case _ if api == MESSAGES:
            yield from _named((*_objects(body.get("tools")), *_of(body, "tool_choice")))
            yield from _named(block for block in _blocks(body) if block.get("type") == "tool_use")
        case _ if api == RESPONSES:
            yield from _named((*_objects(body.get("tools")), *_of(body, "tool_choice")))
            for choice in _of(body, "tool_choice"):
                yield from _named(_objects(choice.get("tools")))
            yield from _named(item for item in _objects(body.get("input")) if item.get("type") in _CALLS)
        case _ if api == CONVERSE:
            config = body.get("toolConfig", {})
            yield from _inner(_objects(config.get("tools")), "toolSpec")
            yield from _inner(_of(config, "toolChoice"), "tool")
            yield from _named(_of(body.get("additionalModelRequestFields", {}), "tool_choice"))
            yield from _inner(_blocks(body), "toolUse")


_CALLS: Final = ("function_call", "custom_tool_call")


def _answer_fields(answer: JsonObject, api: str) -> Iterator[Field]:
    match api:
        case _ if api == CHAT_COMPLETIONS:
            yield from _inner(_answer_calls(answer), "function", "custom")
        case _ if api == MESSAGES:
            yield from _named((*_objects(answer.get("content")), *_of(answer, "content_block")))
        case _ if api == RESPONSES:
            yield from _named((answer, *_of(answer, "item"), *_objects(answer.get("output"))))
            yield from _named(item for response in _of(answer, "response") for item in _objects(response.get("output")))
        case _ if api == CONVERSE:
            yield from _inner(_blocks({"messages": [output.get("message") for output in _of(answer, "output")]}), "toolUse")
            yield from _inner((start for begun in _of(answer, "contentBlockStart") for start in _of(begun, "start")), "toolUse")


def _answer_calls(answer: JsonObject) -> Iterator[JsonObject]:
    for choice in _objects(answer.get("choices")):
        for holder in (*_of(choice, "message"), *_of(choice, "delta")):
            yield from _objects(holder.get("tool_calls"))


def _of(holder: JsonObject, name: str) -> tuple[JsonObject, ...]:
    value = holder.get(name)
    return (value,) if isinstance(value, dict) else ()


def _named(holders: Iterable[JsonObject]) -> Iterator[Field]:
    return ((holder, "name") for holder in holders if isinstance(holder.get("name"), str))


def _inner(holders: Iterable[JsonObject], *names: str) -> Iterator[Field]:
    for holder in holders:
        for name in names:
            inner = holder.get(name)
            if isinstance(inner, dict) and isinstance(inner.get("name"), str):
                yield inner, "name"
