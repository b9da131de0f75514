"""Reasoning in Chat Completions: outside its specification, in three spellings, whole or in pieces of a stream.

`reasoning_content` (DeepSeek, Kimi, vLLM, Qwen), `reasoning` (OpenRouter, Groq), and OpenRouter's `reasoning_details`, the only
one with signatures; where the last is present it repeats the others.
"""

from dataclasses import dataclass

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import as_list


@dataclass(frozen=True, slots=True)
class Thought:
    """A piece of reasoning."""

    key: str
    """Pieces of one stream with the same key belong to one block."""
    text: str = ""
    signature: str = ""
    encrypted: str = ""
    """Reasoning that only the provider can read; then there is no text."""


def thoughts_of(message: JsonObject) -> list[Thought]:
    """Return the reasoning in a message, or in a delta."""
    details = message.get("reasoning_details")
    if isinstance(details, list) and details:
        return [thought for detail in details if (thought := _read(detail)) is not None]
    text = _text(message, "reasoning_content") or _text(message, "reasoning")
    return [Thought("", text)] if text else []


def thought_blocks(thoughts: list[Thought]) -> list[JsonObject]:
    """Return the content blocks that the pieces make up in Anthropic's API."""
    blocks: list[JsonObject] = []
    key: str | None = None
    for thought in thoughts:
        if thought.encrypted:
            blocks.append({"type": "redacted_thinking", "data": thought.encrypted})
            key = None
            continue
        if thought.key != key:
            blocks.append({"type": "thinking", "thinking": "", "signature": ""})
            key = thought.key
        blocks[-1]["thinking"] += thought.text
        blocks[-1]["signature"] = thought.signature or blocks[-1]["signature"]
    return blocks


def blocks_of_history(message: JsonObject) -> list[JsonObject]:
    """Return the thinking blocks of an earlier message: only those that their provider can verify."""
    if not message.get("reasoning_details"):
        return []  # Nothing else has signatures.
    blocks = thought_blocks(thoughts_of(message))
    return [block for block in blocks if block["type"] == "redacted_thinking" or _is_anthropics(block["signature"])]


def _is_anthropics(signature: str) -> bool:
    # "openai-reasoning:" marks what only OpenAI can use; see reasoning_items.
    return bool(signature) and not signature.startswith("openai-reasoning:")


def detail_of(block: JsonObject, index: int) -> JsonObject:
    """Return a thinking block of Anthropic's API as one of the reasoning_details."""
    if block.get("type") == "redacted_thinking":
        return encrypted_detail(block.get("data"), index)
    return text_detail(index, text=block.get("thinking"), signature=block.get("signature"))


def encrypted_detail(data: object, index: int) -> JsonObject:
    """Return the detail for reasoning that only the provider can read."""
    return {"type": "reasoning.encrypted", "data": data, "format": "anthropic-claude-v1", "index": index}


def text_detail(index: int, *, text: object = None, signature: object = None) -> JsonObject:
    """Return the detail for readable reasoning, or for a piece of it."""
    detail: JsonObject = {"type": "reasoning.text", "format": "anthropic-claude-v1", "index": index}
    if text is not None:
        detail["text"] = text
    if signature is not None:
        detail["signature"] = signature
    return detail


def mistral_thoughts(content: object, where: str) -> str:
    """Return the reasoning that Mistral puts among the parts of the content."""
    found: list[str] = []
    for part in as_list(content, where) if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "thinking" and isinstance(part.get("thinking"), list):
            found.extend(_text(piece, "text") for piece in part["thinking"] if isinstance(piece, dict))
    return "".join(found)


def _read(detail: object) -> Thought | None:
    if not isinstance(detail, dict):
        return None
    key = str(detail.get("index", ""))
    match detail.get("type"):
        case "reasoning.encrypted":
            data = _text(detail, "data")
            return Thought(key, encrypted=data) if data else None
        case "reasoning.summary":
            return Thought(key, _text(detail, "summary"))
        case _:
            text, signature = _text(detail, "text"), _text(detail, "signature")
            return Thought(key, text, signature) if text or signature else None


def _text(holder: JsonObject, name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
