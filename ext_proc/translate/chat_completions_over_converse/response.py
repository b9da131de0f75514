"""Answer of Converse -> chat completion."""

from typing import Final

from ext_proc.apis.chat_completions.usage import to_chat_completions
from ext_proc.apis.converse.usage import from_converse
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.custom_tools import unwrap
from ext_proc.translate.chat_completions.reasoning import Placed
from ext_proc.translate.chat_completions.tools import custom_names
from ext_proc.translate.chat_completions_over_messages.response import assistant_message, finish_reason
from ext_proc.translate.converse.answer import answered_by, content_of, extra_fields, stop_reason, tier_of
from ext_proc.translate.converse.citations import cited_text
from ext_proc.translate.json_fields import as_object, as_text, dump, text_in
from ext_proc.translate.messages_over_converse.response import thinking_block
from ext_proc.translate.translation import Exchange

_TIERS: Final = frozenset({"default", "flex", "priority"})


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the chat completion for an answer."""
    reason = finish_reason(stop_reason(body.get("stopReason")))
    out: JsonObject = {
        "id": f"chatcmpl-{exchange.id}",
        "object": "chat.completion",
        "created": exchange.created,
        "model": answered_by(exchange, body.get("trace")),
        "choices": [{"index": 0, "message": _message(exchange, body), "logprobs": None, "finish_reason": reason}],
        "usage": to_chat_completions(from_converse(body.get("usage"))),
        **service_tier(body),
        **extra_fields(exchange, body),
    }
    return out


def service_tier(holder: JsonObject) -> JsonObject:
    """Return the tier that served an answer, if OpenAI has a name for it."""
    tier = tier_of(holder)
    return {"service_tier": tier} if tier in _TIERS else {}


def _message(exchange: Exchange, body: JsonObject) -> JsonObject:
    texts: list[str] = []
    thoughts: list[Placed] = []
    calls: list[JsonObject] = []
    custom = custom_names(exchange.request)
    for block, where in content_of(body):
        for kind, given in block.items():
            place = f"{where}.{kind}"
            match kind:
                case "text":
                    texts.append(as_text(given, place))
                case "citationsContent":
                    texts.append(cited_text(as_object(given, place)))
                case "reasoningContent":
                    thoughts.append(Placed(thinking_block(as_object(given, place), place), len(texts) + len(calls)))
                case "toolUse":
                    calls.append(_call(as_object(given, place), place, custom))
    return assistant_message(exchange, texts, thoughts, calls)


def _call(use: JsonObject, where: str, custom: frozenset[str]) -> JsonObject:
    name, ident = text_in(use, "name", where), text_in(use, "toolUseId", where)
    arguments = dump(as_object(use.get("input") or {}, f"{where}.input"), f"{where}.input")
    if name in custom:
        return {"id": ident, "type": "custom", "custom": {"name": name, "input": unwrap(arguments)}}
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}
