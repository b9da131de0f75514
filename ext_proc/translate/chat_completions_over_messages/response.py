"""Message -> chat completion."""

from ext_proc.apis.chat_completions.usage import to_chat_completions
from ext_proc.apis.messages.usage import from_messages
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.custom_tools import unwrap
from ext_proc.translate.chat_completions.reasoning import POSITION, Placed, detail_of
from ext_proc.translate.chat_completions.tools import custom_names
from ext_proc.translate.json_fields import as_object, dump, objects, text_in
from ext_proc.translate.parts import CHAT_FINISH, CHAT_TIER
from ext_proc.translate.translation import Exchange, model_of


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the chat completion for a message."""
    message = _message(exchange, body)
    reason = body.get("stop_reason")
    if reason == "refusal":
        message["refusal"] = refusal_text(body)
    out: JsonObject = {
        "id": body["id"] if isinstance(body.get("id"), str) and body["id"] else f"chatcmpl-{exchange.id}",
        "object": "chat.completion",
        "created": exchange.created,
        "model": fallback_model(body.get("content")) or model_of(body, exchange),
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason(reason)}],
        "usage": to_chat_completions(from_messages(body.get("usage"))),
    }
    tier = service_tier(body.get("usage"))
    if tier:
        out["service_tier"] = tier
    return out


def finish_reason(stop_reason: object) -> str:
    """Return why the model stopped."""
    return CHAT_FINISH.get(stop_reason, "stop") if isinstance(stop_reason, str) else "stop"


def fallback_model(content: object) -> str:
    """Return Anthropic's fallback model that answered instead of one that refused; "" if there is none."""
    found = ""
    for block in content if isinstance(content, list) else ():
        if isinstance(block, dict) and block.get("type") == "fallback" and isinstance(block.get("to"), dict):
            model = block["to"].get("model")
            found = model if isinstance(model, str) else found
    return found


def refusal_text(holder: JsonObject) -> str | None:
    """Return the text of a refusal in `stop_details`."""
    details = holder.get("stop_details")
    explanation = details.get("explanation") if isinstance(details, dict) else None
    return explanation if isinstance(explanation, str) else None


def service_tier(counts: object) -> str | None:
    """Return the tier that served a message, in OpenAI's words."""
    tier = counts.get("service_tier") if isinstance(counts, dict) else None
    return CHAT_TIER.get(tier) if isinstance(tier, str) else None


def assistant_message(exchange: Exchange, texts: list[str], thoughts: list[Placed], calls: list[JsonObject]) -> JsonObject:
    """Return the message with these texts, thinking blocks (including redacted ones) and tool calls."""
    message: JsonObject = {"role": "assistant", "content": "".join(texts) if texts or not calls else None, "refusal": None}
    if thoughts:
        said = "".join(str(thought.block["thinking"]) for thought in thoughts if thought.block.get("thinking"))
        if said:
            message["reasoning_content"] = said
        message["reasoning_details"] = [detail_of(thought.block, index) for index, thought in enumerate(thoughts)]
    if exchange.is_lossless and any(thought.position for thought in thoughts):
        message["content"] = [{"type": "text", "text": text} for text in texts]
        for detail, thought in zip(message["reasoning_details"], thoughts, strict=True):
            detail[POSITION] = thought.position
    if calls:
        message["tool_calls"] = calls
    return message


def _message(exchange: Exchange, body: JsonObject) -> JsonObject:
    texts: list[str] = []
    thoughts: list[Placed] = []
    calls: list[JsonObject] = []
    custom = custom_names(exchange.request)
    for block, where in objects(body.get("content"), "content"):
        match block.get("type"):
            case "text":
                texts.append(text_in(block, "text", where))
            case "thinking" | "redacted_thinking":
                thoughts.append(Placed(block, len(texts) + len(calls)))
            case "tool_use":
                calls.append(_call(block, where, custom))
    return assistant_message(exchange, texts, thoughts, calls)


def _call(block: JsonObject, where: str, custom: frozenset[str]) -> JsonObject:
    name = text_in(block, "name", where)
    ident = text_in(block, "id", where)
    arguments = dump(as_object(block.get("input") or {}, f"{where}.input"), f"{where}.input")
    if name in custom:
        return {"id": ident, "type": "custom", "custom": {"name": name, "input": unwrap(arguments)}}
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}
