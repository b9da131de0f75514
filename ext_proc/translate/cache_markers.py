"""Adds prompt cache markers, for clients that set none and providers that cache only marked content.

In Messages: the common beginning of a conversation's requests (tools, then system), and the user's last message, up to which
the next request is the same. In Chat Completions, if the provider forwards markers to a Claude: the instructions.
https://platform.claude.com/docs/en/build-with-claude/prompt-caching
"""

import re
from collections.abc import Callable, Iterable
from typing import Final

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES
from protos.contract.quirks import Quirks

_MARK: Final = {"cache_control": {"type": "ephemeral"}}
_OWN_MARKS: Final = (b'"cache_control"', b'"prompt_cache_breakpoint"')
_BYTES_PER_TOKEN: Final = 4
_CLAUDE: Final = re.compile("claude|anthropic", re.IGNORECASE)
_BLOCKS: Final = frozenset({"image", "document", "tool_use", "tool_result"})
"""Markable blocks besides text; thinking blocks are not."""
_INSTRUCTING: Final = ("system", "developer")


def mark_for_cache(body: bytes, api: str, *, model: str, quirks: Quirks, least_tokens: int) -> bytes:
    """Return the upstream's body with markers; unchanged if it has markers, is too short, or the provider supports none.

    `least_tokens` is the minimum for tools and instructions, at 4 bytes per token. An invalid body is returned unchanged.
    """
    least_bytes = least_tokens * _BYTES_PER_TOKEN
    if len(body) < least_bytes or not _takes_marks(api, model, quirks) or any(mark in body for mark in _OWN_MARKS):
        return body
    value: JsonObject = orjson.loads(body)
    instructions = value.get("system") if api == MESSAGES else _instructions(value)
    try:
        if len(orjson.dumps([instructions, value.get("tools")])) < least_bytes:
            return body
        return orjson.dumps(_mark_messages(value) if api == MESSAGES else _mark_chat(value))
    except orjson.JSONEncodeError:  # too deep to serialise: the original bytes are still valid
        return body


def _takes_marks(api: str, model: str, quirks: Quirks) -> bool:
    if api == MESSAGES:
        return True
    return api == CHAT_COMPLETIONS and quirks.cache_markers == "cache_control" and _CLAUDE.search(model) is not None


def _mark_messages(value: JsonObject) -> JsonObject:
    system = _mark_content(value.get("system"))
    # A marker in the system prompt includes the tools, which come before it.
    tools = _mark_last(value.get("tools"), lambda tool: not tool.get("defer_loading")) if system is None else None
    begun = {name: marked for name, marked in (("system", system), ("tools", tools)) if marked is not None}
    turns = (message for message in reversed(_messages(value)) if message.get("role") == "user")
    return {**value, **begun, **_mark_first(turns, value)}


def _mark_chat(value: JsonObject) -> JsonObject:
    instructing = (message for message in _messages(value) if message.get("role") in _INSTRUCTING)
    return {**value, **_mark_first(instructing, value)}


def _instructions(value: JsonObject) -> object:
    return next((message.get("content") for message in _messages(value) if message.get("role") in _INSTRUCTING), None)


def _messages(value: JsonObject) -> list[JsonObject]:
    messages = value.get("messages")
    return [message for message in messages if isinstance(message, dict)] if isinstance(messages, list) else []


def _mark_first(chosen: Iterable[JsonObject], value: JsonObject) -> JsonObject:
    """Return `messages` with the first chosen one marked; None if it cannot be marked."""
    message = next(iter(chosen), None)
    content = _mark_content(message.get("content")) if message is not None else None
    if message is None or content is None:
        return {}
    marked = {**message, "content": content}
    return {"messages": [marked if other is message else other for other in value["messages"]]}


def _mark_content(content: object) -> list[object] | None:
    """Mark the end of a text, or the last markable block; None if there is none."""
    if isinstance(content, str):
        return [{"type": "text", "text": content, **_MARK}] if content.strip() else None
    return _mark_last(content, _takes_mark)


def _takes_mark(block: JsonObject) -> bool:
    kind, text = block.get("type"), block.get("text")
    if kind == "text":
        return isinstance(text, str) and bool(text.strip())
    return isinstance(kind, str) and kind in _BLOCKS


def _mark_last(blocks: object, takes_mark: Callable[[JsonObject], bool]) -> list[object] | None:
    """Mark the last markable block; None if there is none."""
    if not isinstance(blocks, list):
        return None
    for index in range(len(blocks) - 1, -1, -1):
        block = blocks[index]
        if isinstance(block, dict) and takes_mark(block):
            return [*blocks[:index], {**block, **_MARK}, *blocks[index + 1 :]]
    return None
