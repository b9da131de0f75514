"""Chat completion -> response."""

from ext_proc.apis.chat_completions.usage import from_chat_completions
from ext_proc.apis.provider_errors import broken_off, provider_failure
from ext_proc.apis.responses.usage import to_responses
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import Thought, mistral_thoughts, thought_blocks, thoughts_of
from ext_proc.translate.chat_completions.tool_deltas import call_id
from ext_proc.translate.json_fields import as_list, as_object, as_text, object_in
from ext_proc.translate.messages_over_chat_completions.response import calls_of, text_of
from ext_proc.translate.responses.logprobs import of_choice, wants_logprobs
from ext_proc.translate.responses.reasoning_items import reasoning_item
from ext_proc.translate.responses.response_object import (
    annotations_of,
    call_item,
    item_id,
    message_item,
    outcome,
    response_object,
    text_part,
)
from ext_proc.translate.responses.tools import read_tools
from ext_proc.translate.translation import Exchange, model_of


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the response for a chat completion."""
    choices = as_list(body.get("choices"), "choices")
    if (failure := broken_off(choices)) is not None:
        raise provider_failure(failure)
    choice = as_object(choices[0] if choices else None, "choices[0]")
    status, details = outcome(choice.get("finish_reason"))
    model = model_of(body, exchange)
    out = response_object(exchange, model=model, status=status)
    out["incomplete_details"] = details
    out["output"] = _output(exchange, choice, status)
    out["usage"] = to_responses(from_chat_completions(body.get("usage")))
    if body.get("service_tier") is not None:
        out["service_tier"] = body["service_tier"]
    return out


def _output(exchange: Exchange, choice: JsonObject, status: str) -> list[JsonObject]:
    message = as_object(choice.get("message"), "choices[0].message")
    probabilities = of_choice(choice) if wants_logprobs(exchange.request) else []
    where = "choices[0].message"
    given = message.get("content")
    thoughts = thoughts_of(message)
    if not thoughts and (thinking := mistral_thoughts(given, f"{where}.content")):
        thoughts = [Thought("", thinking)]
    items: list[JsonObject] = []
    for block in thought_blocks(thoughts):
        items.append(reasoning_item(item_id("rs", exchange, len(items)), block))
    content = _content(message, text_of(given, f"{where}.content"), probabilities)
    if content:
        items.append(message_item(item_id("msg", exchange, len(items)), content, "completed"))
    tools = read_tools(exchange.request)
    for number, (call, place) in enumerate(calls_of(message, where)):
        function = object_in(call, "function", place)
        item = call_item(
            tools.client_tool(as_text(function.get("name"), f"{place}.function.name")),
            number=(exchange, len(items)),
            call_id=call_id(call.get("id"), exchange.id, number),
            arguments=as_text(function.get("arguments") or "{}", f"{place}.function.arguments"),
            status="completed",
        )
        items.append(item)
    if items and "status" in items[-1]:
        items[-1]["status"] = status  # What was cut off is the last.
    return items


def _content(message: JsonObject, text: str, probabilities: list[JsonObject]) -> list[JsonObject]:
    content = []
    if text:
        content.append(text_part(text, annotations_of(message), probabilities))
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        content.append({"type": "refusal", "refusal": refusal})
    return content
