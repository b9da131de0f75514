"""Responses request -> Chat Completions request.

https://platform.openai.com/docs/api-reference/responses/create, https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.dropped import RESPONSES_OVER_CHAT_COMPLETIONS as DROPPED
from ext_proc.translate.dropped import carry, drop, refuse
from ext_proc.translate.json_fields import as_list, as_object, kind_of, unsupported_kind
from ext_proc.translate.provider_tools import warn_of_rest
from ext_proc.translate.quirks import SAMPLING, accepted_effort, accepted_limit, leave_out_refused
from ext_proc.translate.responses import compaction
from ext_proc.translate.responses.logprobs import wants_logprobs
from ext_proc.translate.responses.tools import ResponsesTools, chat_tool_choice, read_tools
from ext_proc.translate.responses_over_chat_completions.messages import ChatMessagesOfItems
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange

_SAME: Final = (
    "temperature",
    "top_p",
    "stream",
    "metadata",
    "user",
    "service_tier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "safety_identifier",
)
REFUSED: Final[dict[str, tuple[Any, ...]]] = {
    "previous_response_id": (None,),
    "conversation": (None,),
    "prompt": (None,),
    "background": (None, False),
    "moderation": (None,),
    "image": (None,),
}
"""Field -> values without an effect."""


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Chat Completions body for a Responses body."""
    rest, quirks = _updated(exchange.request), exchange.quirks
    refuse(rest, REFUSED, CHAT_COMPLETIONS)
    tools = read_tools(exchange.request, exchange)
    messages = ChatMessagesOfItems(exchange)
    messages.add_instructions(rest.pop("instructions", None))
    messages.add_all(rest.pop("input", None))
    rest.pop("model", None)
    out: JsonObject = {"model": upstream_model, "messages": messages.out}
    for name in _SAME:
        if (value := rest.pop(name, None)) is not None and (quirks.takes_sampling or name not in SAMPLING):
            out[name] = value
    if (limit := rest.pop("max_output_tokens", None)) is not None:
        out[quirks.max_tokens_field] = accepted_limit(limit, quirks)
    if out.get("stream") is True:
        # Request usage, because a Responses client always receives it.
        out["stream_options"] = {"include_usage": True}
    _logprobs(rest, out)
    _tools(rest, tools, out)
    _reasoning(rest, exchange, out)
    _text(rest, exchange, out)
    drop(rest, DROPPED)
    carry(rest, out)
    leave_out_refused(out, quirks)
    return out


def _updated(request: JsonObject) -> JsonObject:
    """Return a copy of a request with what its items ask for: later settings, and a summary instead of an answer."""
    rest, given = dict(request), request.get("input")
    for item in given if isinstance(given, list) else ():
        if isinstance(item, dict) and item.get("type") == "configuration_update":
            for name in ("reasoning", "text"):
                if isinstance(item.get(name), dict):
                    rest[name] = {**as_object(rest.get(name) or {}, name), **item[name]}
    if compaction.is_asked_for(request):
        rest.pop("text", None)
        rest["tool_choice"] = "none"
    return rest


def _logprobs(rest: JsonObject, out: JsonObject) -> None:
    as_list(rest.get("include"), "include")
    is_wanted, top = wants_logprobs(rest), rest.pop("top_logprobs", None)
    if is_wanted:
        out["logprobs"] = True
        if top is not None:
            out["top_logprobs"] = top


def _tools(rest: JsonObject, tools: ResponsesTools, out: JsonObject) -> None:
    rest.pop("tools", None)
    is_parallel, given = rest.pop("parallel_tool_calls", None), rest.pop("tool_choice", None)
    choice, left = None, tools.functions
    if given is not None:
        choice, left = chat_tool_choice(given, tools)
    if not left:
        return  # OpenAI rejects tool_choice and parallel_tool_calls without tools.
    out["tools"] = left
    if choice is not None:
        out["tool_choice"] = choice
    if is_parallel is not None:
        out["parallel_tool_calls"] = is_parallel


def _reasoning(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    reasoning = dict(as_object(rest.pop("reasoning", None) or {}, "reasoning"))
    effort = reasoning.pop("effort", None)
    for name in ("summary", "generate_summary"):
        reasoning.pop(name, None)  # Reasoning is returned in the upstream's form.
    warn_of_rest(reasoning, "reasoning", exchange)
    if effort is not None and not exchange.is_lossless:
        effort = accepted_effort(effort, exchange.quirks)
    if effort is not None:
        out["reasoning_effort"] = effort


def _text(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    text = dict(as_object(rest.pop("text", None) or {}, "text"))
    verbosity, given = text.pop("verbosity", None), text.pop("format", None)
    if verbosity is not None:
        out["verbosity"] = verbosity
    warn_of_rest(text, "text", exchange)
    if given is None:
        return
    wanted = as_object(given, "text.format")
    match kind_of(wanted, "text.format"):
        case "text":
            pass
        case "json_object":
            out["response_format"] = {"type": "json_object"}
        case "json_schema":
            schema = {name: value for name, value in wanted.items() if name != "type"}
            out["response_format"] = {"type": "json_schema", "json_schema": schema}
        case _:
            raise unsupported_kind(wanted, "text.format", CHAT_COMPLETIONS)
