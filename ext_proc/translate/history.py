"""Removes content that only another model can read from conversations that continue at another provider.

Such a request passes unchanged, so it is searched for our marks and invalid ids, and parsed only if one is found.
"""

import re
from typing import Any, Final

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import FOREIGN_MARKS, is_verifiable
from ext_proc.translate.chat_completions_over_responses.request import INSTRUCTIONS
from ext_proc.translate.identifiers import fit_call_ids, pattern
from ext_proc.translate.quirks import leave_out_refused
from ext_proc.translate.responses import compaction
from ext_proc.translate.responses.reasoning_items import OUR_MARKS
from ext_proc.translate.translation import CHAT_COMPLETIONS, MESSAGES, RESPONSES
from protos.contract.quirks import Quirks

_OURS_IN_MESSAGES: Final = tuple(mark.encode() for mark in FOREIGN_MARKS)
_OURS_IN_RESPONSES: Final = (*(mark.encode() for mark in OUR_MARKS), b'"rs_')
_UNSIGNED: Final = re.compile(rb'"signature"\s*:\s*""')
_UNSEEN: Final = re.compile(rb'"encrypted_index"\s*:\s*""')
_OUR_ITEM: Final = re.compile(rb'"rs_[0-9a-f]{32}_\d+"')
_ID_KEYS: Final = {MESSAGES: b'"tool_use_id"', CHAT_COMPLETIONS: b'"tool_call_id"', RESPONSES: b'"call_id"'}
_STRING: Final = re.compile(rb'\s*:\s*"((?:[^"\\]|\\.)*)"')
_OUR_SUMMARY: Final = compaction.MARK.encode()
_SEALED: Final = re.compile(rb'"encrypted_content"\s*:\s*"')
_REASONING: Final = ("reasoning_content", "reasoning_details", "reasoning")
_EXTRAS: Final = (b'"reasoning_content"', b'"reasoning_details"', b'"extra_content"')


def fit_history(body: bytes, api: str, quirks: Quirks) -> bytes:
    """Return the body with a conversation that its provider can read; the same bytes if it can already."""
    cleans = _CLEANERS.get(api)
    if cleans is None or not (_has_foreign_ids(body, api, quirks) or _SUSPICIONS[api](body, quirks)):
        return body
    value: JsonObject = orjson.loads(body)
    before = orjson.dumps(value)
    cleans(value, quirks)
    fit_call_ids(value, api, quirks)
    try:
        after = orjson.dumps(value)
    except TypeError:  # Too deep to serialise: the original bytes are still valid.
        return body
    return body if after == before else after


def fit_request(body: bytes, quirks: Quirks) -> bytes:
    """Return a Responses request in the only form that ChatGPT's backend accepts, which always streams."""
    if not quirks.streams_only:
        return body
    value: JsonObject = orjson.loads(body)
    if isinstance(value.get("input"), str):
        value["input"] = [{"type": "message", "role": "user", "content": value["input"]}]
    if quirks.needs_instructions and not value.get("instructions"):
        value["instructions"] = INSTRUCTIONS
    leave_out_refused(value, quirks)
    return orjson.dumps({**value, "store": False, "stream": True})


def _has_foreign_ids(body: bytes, api: str, quirks: Quirks) -> bool:
    if not quirks.call_ids:
        return False
    key, accepts = _ID_KEYS[api], pattern(quirks.call_ids).fullmatch
    at = body.find(key)
    while at >= 0:
        found = _STRING.match(body, at + len(key))
        if found and not accepts(found[1].decode(errors="replace")):
            return True
        at = body.find(key, at + len(key))
    return False


def _messages_suspicious(body: bytes, quirks: Quirks) -> bool:
    if any(mark in body for mark in _OURS_IN_MESSAGES):
        return True
    unsigned = quirks.verifies_thinking and b'"thinking"' in body and _UNSIGNED.search(body)
    return bool(unsigned) or (b'"encrypted_index"' in body and _UNSEEN.search(body) is not None)


def _clean_messages(value: JsonObject, quirks: Quirks) -> None:
    messages = value.get("messages")
    for message in messages if isinstance(messages, list) else ():
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, list) and message.get("role") == "assistant":
            message["content"] = [block for block in content if _is_kept(block, quirks)]
            for block in message["content"]:
                _drop_citations(block)
    if isinstance(messages, list):
        value["messages"] = [message for message in messages if not _is_emptied(message)]


def _is_kept(block: Any, quirks: Quirks) -> bool:
    if not isinstance(block, dict) or block.get("type") not in ("thinking", "redacted_thinking"):
        return True
    if is_verifiable(block):
        return True
    return not quirks.verifies_thinking and not block.get("signature") and block["type"] == "thinking"


def _is_emptied(message: Any) -> bool:
    return isinstance(message, dict) and message.get("role") == "assistant" and message.get("content") == []


def _drop_citations(block: Any) -> None:
    """Remove citations translated from another provider: Anthropic's have an encrypted index that only it can read."""
    citations = block.get("citations") if isinstance(block, dict) else None
    if isinstance(citations, list):
        own = [cited for cited in citations if not isinstance(cited, dict) or cited.get("encrypted_index") != ""]
        block.pop("citations")
        if own:
            block["citations"] = own


def _responses_suspicious(body: bytes, quirks: Quirks) -> bool:
    if _OUR_SUMMARY in body or any(mark in body for mark in _OURS_IN_RESPONSES[:-1]):
        return True
    if b'"rs_' in body and _OUR_ITEM.search(body):
        return True
    begins = quirks.encrypted_reasoning.encode()
    return bool(begins) and any(not body.startswith(begins, found.end()) for found in _SEALED.finditer(body))


def _clean_responses(value: JsonObject, quirks: Quirks) -> None:
    given = value.get("input")
    if isinstance(given, list):
        items = (item for item in given if not _is_foreign(item, quirks))
        value["input"] = [compaction.as_message(item) if isinstance(item, dict) else item for item in items]


def _is_foreign(item: Any, quirks: Quirks) -> bool:
    """Whether an item is reasoning of another provider."""
    if not isinstance(item, dict) or item.get("type") != "reasoning":
        return False
    sealed = item.get("encrypted_content")
    if isinstance(sealed, str) and sealed:
        return sealed.startswith(OUR_MARKS) or not sealed.startswith(quirks.encrypted_reasoning)
    return _OUR_ITEM.fullmatch(orjson.dumps(item.get("id"))) is not None


def _chat_suspicious(body: bytes, quirks: Quirks) -> bool:
    del quirks
    return any(name in body for name in _EXTRAS)


def _clean_chat(value: JsonObject, quirks: Quirks) -> None:
    """Remove reasoning and signatures in fields that the provider does not accept."""
    messages = value.get("messages")
    for message in messages if isinstance(messages, list) else ():
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        for name in _REASONING if quirks.strict_messages else ():
            if name != quirks.reasoning_history:
                message.pop(name, None)
        calls = message.get("tool_calls")
        for holder in (message, *(calls if isinstance(calls, list) else ())):
            if isinstance(holder, dict) and quirks.strict_messages and quirks.call_signatures == "none":
                holder.pop("extra_content", None)


_SUSPICIONS: Final = {MESSAGES: _messages_suspicious, RESPONSES: _responses_suspicious, CHAT_COMPLETIONS: _chat_suspicious}
_CLEANERS: Final = {MESSAGES: _clean_messages, RESPONSES: _clean_responses, CHAT_COMPLETIONS: _clean_chat}
