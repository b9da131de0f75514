"""Reasoning as items of the Responses API <-> thinking blocks of Anthropic's.

Signed reasoning of Anthropic is sent in `encrypted_content` with a mark, so that it is not confused with OpenAI's.
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import CALL_MARK, OPENAI_MARK, encrypted_detail, text_detail

SIGNATURE: Final = "claude-signature:"
REDACTED: Final = "claude-redacted:"
OUR_MARKS: Final = (SIGNATURE, REDACTED, CALL_MARK)
"""Our marks of reasoning that is not OpenAI's."""

PART_BREAK: Final = "\n\n"
"""Between the parts of a summary: each begins with a title of its own."""


def reasoning_item(item_id: str, block: JsonObject) -> JsonObject:
    """Return the item for a thinking block."""
    if block["type"] == "redacted_thinking":
        data = block["data"]
        sealed = data if data.startswith(CALL_MARK) else f"{REDACTED}{data}"
        return {"id": item_id, "type": "reasoning", "summary": [], "encrypted_content": sealed}
    text, signature = block["thinking"], block["signature"]
    summary = [{"type": "summary_text", "text": text}] if text else []
    sealed = f"{SIGNATURE}{signature}" if signature else None
    return {"id": item_id, "type": "reasoning", "summary": summary, "encrypted_content": sealed}


def detail_of_openai_item(item: JsonObject, index: int) -> JsonObject:
    """Return an item of OpenAI as an entry of chat's reasoning_details that can be sent back to OpenAI."""
    detail = text_detail(index, text=text_of_item(item), signature=openai_signature(item))
    return {**detail, "format": "openai-responses-v1"}


def openai_signature(item: JsonObject) -> str:
    """Return an encoded item of OpenAI; "" if it cannot be sent back."""
    sealed, ident = item.get("encrypted_content"), item.get("id")
    return f"{OPENAI_MARK}{ident}:{sealed}" if isinstance(sealed, str) and isinstance(ident, str) else ""


def openai_item(text: str, signature: str) -> JsonObject | None:
    """Return the original item of OpenAI's reasoning; None for other reasoning."""
    ident, colon, sealed = signature.removeprefix(OPENAI_MARK).partition(":")
    if not signature.startswith(OPENAI_MARK) or not colon:
        return None
    summary = [{"type": "summary_text", "text": text}] if text else []
    return {"type": "reasoning", "id": ident, "summary": summary, "encrypted_content": sealed}


def text_of_item(item: JsonObject) -> str:
    """Return the text of an item: its summary, or the reasoning itself if a server sends that instead."""
    return _join(item.get("summary")) or _join(item.get("content"))


def detail_of_item(item: JsonObject, index: int) -> JsonObject | None:
    """Return an item as an entry of chat's reasoning_details; None if only OpenAI can use it."""
    sealed, text = item.get("encrypted_content"), text_of_item(item)
    if isinstance(sealed, str) and sealed.startswith(REDACTED):
        return encrypted_detail(sealed.removeprefix(REDACTED), index)
    if isinstance(sealed, str) and sealed.startswith(CALL_MARK):
        return encrypted_detail(sealed, index)
    if isinstance(sealed, str) and sealed.startswith(SIGNATURE):
        return text_detail(index, text=text, signature=sealed.removeprefix(SIGNATURE))
    return text_detail(index, text=text) if text else None


def _join(parts: Any) -> str:
    if not isinstance(parts, list):
        return ""
    return PART_BREAK.join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))
