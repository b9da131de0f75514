"""The response object of the Responses API and its output items, for whole answers and streams."""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.custom_tools import unwrap
from ext_proc.translate.parts import ANTHROPIC_STOP
from ext_proc.translate.responses.tools import ClientTool
from ext_proc.translate.translation import Exchange

_ECHOED: Final[dict[str, Any]] = {
    "background": False,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "reasoning": {"effort": None, "summary": None},
    "safety_identifier": None,
    "service_tier": "auto",
    "temperature": 1.0,
    "text": {"format": {"type": "text"}},
    "tool_choice": "auto",
    "tools": [],
    "top_logprobs": 0,
    "top_p": 1.0,
    "truncation": "disabled",
    "user": None,
}
"""Request fields that a response repeats -> OpenAI's defaults."""

_INCOMPLETE: Final = {"max_tokens": "max_output_tokens", "refusal": "content_filter"}
"""Anthropic's stop_reason -> why a response is incomplete."""


def response_object(exchange: Exchange, *, model: str, status: str) -> JsonObject:
    """Return a response without output."""
    request = exchange.request
    echo = {name: default if request.get(name) is None else request[name] for name, default in _ECHOED.items()}
    return {
        "id": f"resp_{exchange.id}",
        "object": "response",
        "created_at": exchange.created,
        "status": status,
        "error": None,
        "incomplete_details": None,
        "model": model,
        "output": [],
        **echo,
        "store": False,  # Nothing is stored for later requests.
        "usage": None,
    }


def outcome(finish_reason: object) -> tuple[str, JsonObject | None]:
    """Return the status of a response, and why it is incomplete."""
    reason = _INCOMPLETE.get(ANTHROPIC_STOP.get(finish_reason, "")) if isinstance(finish_reason, str) else None
    return ("incomplete", {"reason": reason}) if reason else ("completed", None)


def item_id(prefix: str, exchange: Exchange, index: int) -> str:
    """Return the id of the output item at an index."""
    return f"{prefix}_{exchange.id}_{index}"


def message_item(ident: str, content: list[JsonObject], status: str) -> JsonObject:
    """Return an assistant's message."""
    return {"id": ident, "type": "message", "status": status, "role": "assistant", "content": content}


def text_part(text: str, annotations: list[JsonObject], logprobs: list[JsonObject]) -> JsonObject:
    """Return a part of a message."""
    return {"type": "output_text", "text": text, "annotations": annotations, "logprobs": logprobs}


def call_item(tool: ClientTool, *, number: tuple[Exchange, int], call_id: str, arguments: str, status: str) -> JsonObject:
    """Return a tool call in the client's terms; `number` is its exchange and its index in the output."""
    if tool.kind == "custom":
        item: JsonObject = {"id": item_id("ctc", *number), "type": "custom_tool_call", "status": status, "call_id": call_id}
        item |= {"name": tool.name, "input": unwrap(arguments) if arguments else ""}
    else:
        item = {"id": item_id("fc", *number), "type": "function_call", "status": status, "call_id": call_id}
        item |= {"name": tool.name, "arguments": arguments}
    if tool.namespace is not None:
        item["namespace"] = tool.namespace
    return item


def annotations_of(message: JsonObject) -> list[JsonObject]:
    """Return chat's annotations in the form of Responses, without the nested object."""
    found = message.get("annotations")
    return [
        {"type": "url_citation", **annotation["url_citation"]}
        for annotation in (found if isinstance(found, list) else ())
        if isinstance(annotation, dict) and isinstance(annotation.get("url_citation"), dict)
    ]
