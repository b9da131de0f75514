"""Reasoning in Chat Completions: three spellings outside the specification, whole or in chunks.

`reasoning_content` (DeepSeek, Kimi, vLLM, Qwen), `reasoning` (OpenRouter, Groq), and OpenRouter's `reasoning_details`, the only
one with signatures; where the last is present it repeats the others.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import as_list


@dataclass(frozen=True, slots=True)
class Thought:
    """A part of reasoning."""

    key: str
    """Deltas of one stream with the same key belong to one block."""
    text: str = ""
    signature: str = ""
    encrypted: str = ""
    """Encrypted reasoning; then there is no text."""
    position: int = 0
    """How many texts and calls of its message come before it."""


_ANTHROPICS: Final = "anthropic-claude-v1"
OPENAI_MARK: Final = "openai-reasoning:"
"""Mark of OpenAI's encrypted reasoning in the signature of a thinking block: mark, item id, content."""
CALL_MARK: Final = "call-signature:"
"""Mark of a call's signature in encrypted reasoning: see `signatures`."""
POSITION: Final = "position"
"""Extension of one of the reasoning_details between two translations: how many texts and calls come before it."""
FOREIGN_MARKS: Final = (OPENAI_MARK, CALL_MARK)
"""Our marks of reasoning that is not Anthropic's."""


def thoughts_of(message: JsonObject) -> list[Thought]:
    """Return the reasoning in a message, or in a delta."""
    details = message.get("reasoning_details")
    if isinstance(details, list) and details:
        return [thought for detail in details if (thought := _read(detail)) is not None]
    text = _text(message, "reasoning_content") or _text(message, "reasoning")
    return [Thought("", text)] if text else []


class Placed(NamedTuple):
    """A thinking block and its place in the message."""

    block: JsonObject
    position: int
    """How many texts and calls of the message come before it."""


def placed_blocks(thoughts: list[Thought]) -> list[Placed]:
    """Return the parts as content blocks of Anthropic's API, each with its place."""
    placed: list[Placed] = []
    key: str | None = None
    for thought in thoughts:
        if thought.encrypted:
            placed.append(Placed({"type": "redacted_thinking", "data": thought.encrypted}, thought.position))
            key = None
            continue
        if thought.key != key:
            placed.append(Placed({"type": "thinking", "thinking": "", "signature": ""}, thought.position))
            key = thought.key
        block = placed[-1].block
        block["thinking"] += thought.text
        block["signature"] = thought.signature or block["signature"]
    return placed


def thought_blocks(thoughts: list[Thought]) -> list[JsonObject]:
    """Return the parts as content blocks of Anthropic's API."""
    return [placed.block for placed in placed_blocks(thoughts)]


def interleave(thoughts: list[Placed], said: list[JsonObject]) -> list[JsonObject]:
    """Return texts and calls with the reasoning before each."""
    if not any(thought.position for thought in thoughts):
        return [*(thought.block for thought in thoughts), *said]
    out: list[JsonObject] = []
    for index, block in enumerate([*said, None]):
        is_last = block is None
        out += [thought.block for thought in thoughts if thought.position == index or (is_last and thought.position > index)]
        if block is not None:
            out.append(block)
    return out


def blocks_of_history(message: JsonObject) -> list[Placed]:
    """Return the thinking blocks of an earlier message: only those that Anthropic can verify."""
    details = message.get("reasoning_details")
    if not isinstance(details, list) or not details:
        return []  # Only these have signatures.
    own = [detail for detail in details if not isinstance(detail, dict) or detail.get("format", _ANTHROPICS) == _ANTHROPICS]
    return [placed for placed in placed_blocks(thoughts_of({"reasoning_details": own})) if is_verifiable(placed.block)]


def is_verifiable(block: JsonObject) -> bool:
    """Whether Anthropic has signed a thinking block: it rejects requests with others."""
    sealed = block.get("data") if block.get("type") == "redacted_thinking" else block.get("signature")
    return isinstance(sealed, str) and bool(sealed) and not sealed.startswith(FOREIGN_MARKS)


def detail_of(block: JsonObject, index: int) -> JsonObject:
    """Return a thinking block of Anthropic's API as an entry of reasoning_details."""
    if block.get("type") == "redacted_thinking":
        return encrypted_detail(block.get("data"), index)
    return text_detail(index, text=block.get("thinking"), signature=block.get("signature"))


def encrypted_detail(data: object, index: int) -> JsonObject:
    """Return the detail for reasoning that only the provider can read."""
    return {"type": "reasoning.encrypted", "data": data, "format": _ANTHROPICS, "index": index}


def text_detail(index: int, *, text: object = None, signature: object = None) -> JsonObject:
    """Return the detail for readable reasoning, or for a delta of it."""
    detail: JsonObject = {"type": "reasoning.text", "format": _ANTHROPICS, "index": index}
    if text is not None:
        detail["text"] = text
    if signature is not None:
        detail["signature"] = signature
    return detail


def mistral_thoughts(content: object, where: str) -> str:
    """Return the reasoning in Mistral's content parts."""
    found: list[str] = []
    for part in as_list(content, where) if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get("type") == "thinking" and isinstance(part.get("thinking"), list):
            found.extend(_text(piece, "text") for piece in part["thinking"] if isinstance(piece, dict))
    return "".join(found)


def _read(detail: object) -> Thought | None:
    if not isinstance(detail, dict):
        return None
    key, place = str(detail.get("index", "")), detail.get(POSITION, 0)
    position = place if isinstance(place, int) else 0
    match detail.get("type"):
        case "reasoning.encrypted":
            data = _text(detail, "data")
            return Thought(key, encrypted=data, position=position) if data else None
        case "reasoning.summary":
            return Thought(key, _text(detail, "summary"), position=position)
        case _:
            text, signature = _text(detail, "text"), _text(detail, "signature")
            return Thought(key, text, signature, position=position) if text or signature else None


def _text(holder: JsonObject, name: str) -> str:
    value = holder.get(name)
    return value if isinstance(value, str) else ""
