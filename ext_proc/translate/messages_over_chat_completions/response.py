"""Chat completion -> message."""

from collections.abc import Iterator

from ext_proc.apis.chat_completions.usage import from_chat_completions
from ext_proc.apis.messages.usage import to_messages
from ext_proc.apis.provider_errors import broken_off, provider_failure
from ext_proc.apis.usage import Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import (
    Placed,
    Thought,
    interleave,
    mistral_thoughts,
    placed_blocks,
    thoughts_of,
)
from ext_proc.translate.chat_completions.signatures import signature_of
from ext_proc.translate.chat_completions.tool_deltas import call_id
from ext_proc.translate.json_fields import as_list, as_object, as_text, object_in, objects
from ext_proc.translate.parts import ANTHROPIC_STOP, ANTHROPIC_TIER, arguments_object
from ext_proc.translate.responses.response_object import annotations_of
from ext_proc.translate.translation import Exchange, model_of


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the message for a chat completion."""
    choices = as_list(body.get("choices"), "choices")
    if (failure := broken_off(choices)) is not None:
        raise provider_failure(failure)
    choice = as_object(choices[0] if choices else None, "choices[0]")
    message = as_object(choice.get("message"), "choices[0].message")
    content = _content(exchange, message)
    return {
        "id": body["id"] if isinstance(body.get("id"), str) and body["id"] else f"msg_{exchange.id}",
        "type": "message",
        "role": "assistant",
        "model": model_of(body, exchange),
        "content": content,
        "stop_reason": stop_reason(
            choice.get("finish_reason"),
            calls=any(block["type"] == "tool_use" for block in content),
            refused=bool(message.get("refusal")),
        ),
        "stop_sequence": None,
        "usage": message_usage(from_chat_completions(body.get("usage")), body.get("service_tier")),
    }


def stop_reason(finish_reason: object, *, calls: bool, refused: bool) -> str:
    """Return the stop reason; many servers send `stop` for answers with tool calls."""
    reason = ANTHROPIC_STOP.get(finish_reason, "end_turn") if isinstance(finish_reason, str) else "end_turn"
    if reason != "end_turn":
        return reason
    if refused:
        return "refusal"
    return "tool_use" if calls else "end_turn"


def message_usage(tokens: Usage, service_tier: object) -> JsonObject:
    """Return the usage of a message, with the tier that served it."""
    written = to_messages(tokens)
    if isinstance(service_tier, str) and service_tier in ANTHROPIC_TIER:
        written["service_tier"] = ANTHROPIC_TIER[service_tier]
    return written


def text_of(content: object, where: str) -> str:
    """Return the text of an answer: a string, or Mistral's list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part, _ in objects(content, where) if isinstance(part.get("text"), str))


def _content(exchange: Exchange, message: JsonObject) -> list[JsonObject]:
    where = "choices[0].message"
    said: list[JsonObject] = [{"type": "text", "text": text} for text in texts_of(message.get("content"), f"{where}.content")]
    notes = annotations_of(message)
    if said and notes:
        said[0]["citations"] = [citation(note, said[0]["text"]) for note in notes]
    if isinstance(message.get("refusal"), str) and message["refusal"]:
        said.append({"type": "text", "text": message["refusal"]})
    signatures: dict[str, str] = {"": signature_of(message, "")}
    for number, (call, place) in enumerate(calls_of(message, where)):
        ident = call_id(call.get("id"), exchange.id, number)
        signatures[ident] = signature_of(call, ident)
        said.append(_tool_use(call, place, ident))
    blocks = interleave(placed_thoughts(message, where), said)
    return signed(blocks, signatures)


def placed_thoughts(message: JsonObject, where: str) -> list[Placed]:
    """Return the reasoning of an answer as blocks, each with its place."""
    thoughts = thoughts_of(message)
    if not thoughts and (thinking := mistral_thoughts(message.get("content"), f"{where}.content")):
        thoughts = [Thought("", thinking)]
    return placed_blocks(thoughts)


def texts_of(content: object, where: str) -> list[str]:
    """Return the texts of an answer: one, or, between two translations, those separated by thoughts."""
    if isinstance(content, list) and all(isinstance(part, dict) and part.get("type") == "text" for part in content):
        return [text for part in content if (text := text_of([part], where))]
    text = text_of(content, where)
    return [text] if text else []


def signed(blocks: list[JsonObject], signatures: dict[str, str]) -> list[JsonObject]:
    """Insert the encoded signatures before their calls, and the message's at its beginning."""
    out: list[JsonObject] = []
    for block in ({}, *blocks):
        signature = signatures.get(block.get("id", "")) if not block or block["type"] == "tool_use" else None
        if signature:
            out.append({"type": "redacted_thinking", "data": signature})
        if block:
            out.append(block)
    return out


def calls_of(message: JsonObject, where: str) -> Iterator[tuple[JsonObject, str]]:
    """Return the calls in an answer, each with its path, including the legacy `function_call`.

    Servers written in Go send an empty `function_call` in every answer.
    """
    yield from objects(message.get("tool_calls"), f"{where}.tool_calls")
    legacy = message.get("function_call")
    if isinstance(legacy, dict) and legacy.get("name"):
        yield {"function": legacy}, where


def citation(annotation: JsonObject, text: str) -> JsonObject:
    """Return a chat answer's citation of a page in Anthropic's form; its place in the text gives the cited text."""
    start, end = annotation.get("start_index"), annotation.get("end_index")
    return {
        "type": "web_search_result_location",
        "url": annotation.get("url") or "",
        "title": annotation.get("title"),
        "cited_text": text[start:end] if isinstance(start, int) and isinstance(end, int) else "",
        "encrypted_index": "",
    }


def _tool_use(call: JsonObject, where: str, ident: str) -> JsonObject:
    function = object_in(call, "function", where)
    return {
        "type": "tool_use",
        "id": ident,
        "name": as_text(function.get("name"), f"{where}.function.name"),
        "input": arguments_object(function.get("arguments")),
    }
