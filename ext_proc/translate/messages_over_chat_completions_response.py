"""Chat completion -> message."""

from ext_proc.apis import usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_reasoning import Thought, mistral_thoughts, thought_blocks, thoughts_of
from ext_proc.translate.fields import as_list, as_object, as_text, object_in, objects, text_in
from ext_proc.translate.parts import ANTHROPIC_STOP, ANTHROPIC_TIER, arguments_object
from ext_proc.translate.translation import Exchange


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the message for a chat completion."""
    choices = as_list(body.get("choices"), "choices")
    choice = as_object(choices[0] if choices else None, "choices[0]")
    message = as_object(choice.get("message"), "choices[0].message")
    content = _content(message)
    return {
        "id": body["id"] if isinstance(body.get("id"), str) and body["id"] else f"msg_{exchange.id}",
        "type": "message",
        "role": "assistant",
        "model": body["model"] if isinstance(body.get("model"), str) else "",
        "content": content,
        "stop_reason": stop_reason(
            choice.get("finish_reason"),
            calls=any(block["type"] == "tool_use" for block in content),
            refused=bool(message.get("refusal")),
        ),
        "stop_sequence": None,
        "usage": message_usage(usage.from_chat_completions(body.get("usage")), body.get("service_tier")),
    }


def stop_reason(finish_reason: object, *, calls: bool, refused: bool) -> str:
    """Return why the model stopped; many servers say `stop` for answers that call tools."""
    reason = ANTHROPIC_STOP.get(finish_reason, "end_turn") if isinstance(finish_reason, str) else "end_turn"
    if reason != "end_turn":
        return reason
    if refused:
        return "refusal"
    return "tool_use" if calls else "end_turn"


def message_usage(tokens: usage.Usage, service_tier: object) -> JsonObject:
    """Return the usage of a message, with the tier that served it."""
    written = usage.to_messages(tokens)
    if isinstance(service_tier, str) and service_tier in ANTHROPIC_TIER:
        written["service_tier"] = ANTHROPIC_TIER[service_tier]
    return written


def text_of(content: object, where: str) -> str:
    """Return the text of an answer: a string, or Mistral's list of parts."""
    if content is None or isinstance(content, str):
        return content or ""
    return "".join(part["text"] for part, _ in objects(content, where) if isinstance(part.get("text"), str))


def _content(message: JsonObject) -> list[JsonObject]:
    where = "choices[0].message"
    given = message.get("content")
    thoughts = thoughts_of(message)
    if not thoughts and (thinking := mistral_thoughts(given, f"{where}.content")):
        thoughts = [Thought("", thinking)]
    blocks = thought_blocks(thoughts)
    for text in (text_of(given, f"{where}.content"), message.get("refusal")):
        if isinstance(text, str) and text:
            blocks.append({"type": "text", "text": text})
    for call, place in objects(message.get("tool_calls"), f"{where}.tool_calls"):
        blocks.append(_tool_use(call, place))
    if isinstance(message.get("function_call"), dict):
        blocks.append(_tool_use({"id": "call_0", "function": message["function_call"]}, f"{where}.function_call"))
    return blocks


def _tool_use(call: JsonObject, where: str) -> JsonObject:
    function = object_in(call, "function", where)
    return {
        "type": "tool_use",
        "id": text_in(call, "id", where),
        "name": as_text(function.get("name"), f"{where}.function.name"),
        "input": arguments_object(function.get("arguments")),
    }
