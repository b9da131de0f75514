"""Chat completion -> response."""

from dataclasses import replace

from ext_proc.apis.chat_completions.usage import from_chat_completions
from ext_proc.apis.provider_errors import broken_off, provider_failure
from ext_proc.apis.responses.usage import to_responses
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.reasoning import interleave
from ext_proc.translate.chat_completions.signatures import signature_of
from ext_proc.translate.chat_completions.tool_deltas import call_id
from ext_proc.translate.json_fields import as_list, as_object, as_text, object_in
from ext_proc.translate.messages_over_chat_completions.response import calls_of, placed_thoughts, signed, texts_of
from ext_proc.translate.responses import compaction
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
from ext_proc.translate.responses.tools import ResponsesTools, read_tools
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
    out["output"] = (
        _summary(exchange, choice) if compaction.is_asked_for(exchange.request) else _output(exchange, choice, status)
    )
    out["usage"] = to_responses(from_chat_completions(body.get("usage")))
    if body.get("service_tier") is not None:
        out["service_tier"] = body["service_tier"]
    return out


def _summary(exchange: Exchange, choice: JsonObject) -> list[JsonObject]:
    message = as_object(choice.get("message"), "choices[0].message")
    text = "".join(texts_of(message.get("content"), "choices[0].message.content"))
    if not text.strip():
        raise MalformedBody("The model was asked for a summary, and gave none.", param="choices[0].message.content")
    return [compaction.compaction_item(item_id("cmp", exchange, 0), text)]


def _output(exchange: Exchange, choice: JsonObject, status: str) -> list[JsonObject]:
    message = as_object(choice.get("message"), "choices[0].message")
    where = "choices[0].message"
    said: list[JsonObject] = [{"type": "text", "content": content} for content in _contents(exchange, choice, message)]
    signatures = {"": signature_of(message, "")}
    for number, (call, place) in enumerate(calls_of(message, where)):
        ident = call_id(call.get("id"), exchange.id, number)
        signatures[ident] = signature_of(call, ident)
        said.append({"type": "tool_use", "id": ident, "function": object_in(call, "function", place), "place": place})
    blocks = signed(interleave(placed_thoughts(message, where), said), signatures)
    tools = read_tools(exchange.request, replace(exchange, warnings=[]))
    items = [_item(block, (exchange, index), tools) for index, block in enumerate(blocks)]
    if items and "status" in items[-1]:
        items[-1]["status"] = status  # Only the last item can be truncated.
    return items


def _item(block: JsonObject, number: tuple[Exchange, int], tools: ResponsesTools) -> JsonObject:
    """Return the output item for a thinking block or a text; `number` is its exchange and its index in the output."""
    match block["type"]:
        case "text":
            return message_item(item_id("msg", *number), block["content"], "completed")
        case "tool_use":
            function, place = block["function"], block["place"]
            return call_item(
                tools.client_tool(as_text(function.get("name"), f"{place}.function.name")),
                number=number,
                call_id=block["id"],
                arguments=as_text(function.get("arguments") or "{}", f"{place}.function.arguments"),
                status="completed",
            )
    return reasoning_item(item_id("rs", *number), block)


def _contents(exchange: Exchange, choice: JsonObject, message: JsonObject) -> list[list[JsonObject]]:
    """Return the content of each message of the answer: one, unless thoughts separate its texts."""
    probabilities = of_choice(choice) if wants_logprobs(exchange.request) else []
    notes = annotations_of(message)
    texts = texts_of(message.get("content"), "choices[0].message.content")
    contents = [[text_part(text, [], [])] for text in texts]
    if contents:
        contents[0] = [text_part(texts[0], notes, probabilities)]
    refusal = message.get("refusal")
    if isinstance(refusal, str) and refusal:
        contents = contents or [[]]
        contents[-1].append({"type": "refusal", "refusal": refusal})
    return contents
