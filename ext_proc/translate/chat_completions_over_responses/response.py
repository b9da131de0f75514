"""Response -> chat completion."""

from ext_proc.apis.chat_completions.usage import to_chat_completions
from ext_proc.apis.provider_errors import provider_failure, read_error
from ext_proc.apis.responses.usage import from_responses
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.json_fields import as_text, objects, text_in
from ext_proc.translate.responses.logprobs import for_choice, of_part
from ext_proc.translate.responses.reasoning_items import detail_of_openai_item, text_of_item
from ext_proc.translate.translation import Exchange, model_of


def response(exchange: Exchange, body: JsonObject) -> JsonObject:
    """Return the chat completion for a response.

    Raises:
        UpstreamError: the response failed, which a body with status 200 reports.
    """
    if body.get("status") == "failed":
        raise provider_failure(read_error({"error": body.get("error")}))
    message = _message(body)
    probabilities = _logprobs(body) if exchange.request.get("logprobs") else None
    finish = finish_reason(body, calls="tool_calls" in message)
    out: JsonObject = {
        "id": body["id"] if isinstance(body.get("id"), str) and body["id"] else f"chatcmpl-{exchange.id}",
        "object": "chat.completion",
        "created": exchange.created,
        "model": model_of(body, exchange),
        "choices": [{"index": 0, "message": message, "logprobs": probabilities, "finish_reason": finish}],
        "usage": to_chat_completions(from_responses(body.get("usage"))),
    }
    if isinstance(body.get("service_tier"), str):
        out["service_tier"] = body["service_tier"]
    return out


def finish_reason(body: JsonObject, *, calls: bool) -> str:
    """Return why the model stopped."""
    if body.get("status") == "incomplete":
        details = body.get("incomplete_details")
        reason = details.get("reason") if isinstance(details, dict) else None
        return "content_filter" if reason == "content_filter" else "length"
    return "tool_calls" if calls else "stop"


def chat_annotation(annotation: JsonObject) -> JsonObject | None:
    """Return an annotation in the form of Chat Completions: nested, and only citations of URLs."""
    if annotation.get("type") != "url_citation":
        return None
    return {"type": "url_citation", "url_citation": {name: value for name, value in annotation.items() if name != "type"}}


def _message(body: JsonObject) -> JsonObject:
    texts: list[str] = []
    refusals: list[str] = []
    annotations: list[JsonObject] = []
    calls: list[JsonObject] = []
    thoughts: list[JsonObject] = []
    for item, where in objects(body.get("output"), "output"):
        match item.get("type"):
            case "message":
                for part, place in objects(item.get("content"), f"{where}.content"):
                    if part.get("type") == "refusal":
                        refusals.append(text_in(part, "refusal", place))
                    elif part.get("type") == "output_text":
                        texts.append(text_in(part, "text", place))
                        found = objects(part.get("annotations"), f"{place}.annotations")
                        annotations.extend(a for note, _ in found if (a := chat_annotation(note)) is not None)
            case "reasoning":
                thoughts.append(item)
            case "function_call" | "custom_tool_call":
                calls.append(_call(item, where))
    message: JsonObject = {"role": "assistant", "content": "".join(texts) if texts or not (calls or refusals) else None}
    message["refusal"] = "".join(refusals) or None
    if annotations:
        message["annotations"] = annotations
    _think(thoughts, message)
    if calls:
        message["tool_calls"] = calls
    return message


def _logprobs(body: JsonObject) -> JsonObject | None:
    entries: list[JsonObject] = []
    for item, where in objects(body.get("output"), "output"):
        if item.get("type") == "message":
            for part, _ in objects(item.get("content"), f"{where}.content"):
                entries += of_part(part)
    return for_choice(entries)


def _think(thoughts: list[JsonObject], message: JsonObject) -> None:
    said = "".join(text_of_item(item) for item in thoughts)
    if said:
        message["reasoning_content"] = said
    details = [detail_of_openai_item(item, index) for index, item in enumerate(thoughts)]
    told = [detail for detail in details if detail["text"] or detail["signature"]]
    if told:
        message["reasoning_details"] = told


def _call(item: JsonObject, where: str) -> JsonObject:
    ident, name = text_in(item, "call_id", where), text_in(item, "name", where)
    if item["type"] == "custom_tool_call":
        return {"id": ident, "type": "custom", "custom": {"name": name, "input": text_in(item, "input", where)}}
    arguments = as_text(item.get("arguments") or "{}", f"{where}.arguments")
    return {"id": ident, "type": "function", "function": {"name": name, "arguments": arguments}}
