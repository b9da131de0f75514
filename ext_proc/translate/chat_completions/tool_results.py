"""Results of tools in Chat Completions: tool messages hold text only, so images and files follow in a user message."""

from ext_proc.codec.json_body import JsonObject

Parts = list[JsonObject]


def split_tool_result(parts: Parts, call_id: str, *, rich: bool) -> tuple[Parts, Parts]:
    """Return the content of a call's tool message, and the parts for a user message after all results."""
    if rich:
        return parts, []
    texts = [part for part in parts if part["type"] == "text"]
    others = [part for part in parts if part["type"] != "text"]
    if others:
        texts = texts or [{"type": "text", "text": "The result follows in the next message."}]
        others.insert(0, {"type": "text", "text": f"Result of tool call {call_id}:"})
    return texts, others
