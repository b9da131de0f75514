"""Answer of Converse -> message."""

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.converse.answer import (
    answered_by,
    content_of,
    extra_fields,
    message_usage,
    stop_reason,
    stop_sequence,
    tier_of,
)
from ext_proc.translate.converse.citations import cited_block
from ext_proc.translate.json_fields import as_object, as_text, object_in, text_in
from ext_proc.translate.translation import Exchange


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the message for an answer."""
    content = [made for block, where in content_of(body) if (made := _block(block, where)) is not None]
    return {
        "id": f"msg_{exchange.id}",
        "type": "message",
        "role": "assistant",
        "model": answered_by(exchange, body.get("trace")),
        "content": content,
        "stop_reason": stop_reason(body.get("stopReason")),
        "stop_sequence": stop_sequence(body.get("additionalModelResponseFields")),
        "usage": message_usage(body.get("usage"), tier_of(body)),
        **extra_fields(exchange, body),
    }


def thinking_block(block: JsonObject, where: str) -> JsonObject:
    """Return the thinking block for reasoning."""
    if "redactedContent" in block:
        return {"type": "redacted_thinking", "data": text_in(block, "redactedContent", where)}
    place = f"{where}.reasoningText"
    thought = as_object(block.get("reasoningText"), place)
    text = as_text(thought.get("text") or "", f"{place}.text")
    return {"type": "thinking", "thinking": text, "signature": thought.get("signature") or ""}


def _block(block: JsonObject, where: str) -> JsonObject | None:
    """Return a content block; None for blocks of tools that Bedrock runs itself."""
    if "text" in block:
        return {"type": "text", "text": text_in(block, "text", where)}
    if "toolUse" in block:
        use, place = object_in(block, "toolUse", where), f"{where}.toolUse"
        return {
            "type": "tool_use",
            "id": text_in(use, "toolUseId", place),
            "name": text_in(use, "name", place),
            "input": as_object(use.get("input") or {}, f"{place}.input"),
        }
    if "reasoningContent" in block:
        place = f"{where}.reasoningContent"
        return thinking_block(as_object(block["reasoningContent"], place), place)
    if "citationsContent" in block:
        return cited_block(object_in(block, "citationsContent", where))
    return None
