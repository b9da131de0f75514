"""Responses request -> Chat Completions request.

https://platform.openai.com/docs/api-reference/responses/create, https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.dropped import RESPONSES_OVER_CHAT_COMPLETIONS as DROPPED
from ext_proc.translate.dropped import carry_unknown
from ext_proc.translate.json_fields import as_list, as_object, kind_of, unsupported
from ext_proc.translate.quirks import SAMPLING, Profile, leave_out_refused, openai_effort, openai_takes_sampling
from ext_proc.translate.responses.logprobs import wants_logprobs
from ext_proc.translate.responses.tools import chat_tool_choice, read_tools
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
_REFUSED: Final[dict[str, tuple[Any, ...]]] = {
    "previous_response_id": (None,),
    "conversation": (None,),
    "prompt": (None,),
    "background": (None, False),
    "moderation": (None,),
    "image": (None,),
}
"""Field -> values that ask for nothing."""
_KNOWN: Final = (
    frozenset(_SAME)
    | frozenset(_REFUSED)
    | frozenset(DROPPED)
    | {
        "model",
        "input",
        "instructions",
        "max_output_tokens",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning",
        "text",
        "top_logprobs",
    }
)


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Chat Completions body for a Responses body."""
    body, profile = exchange.request, exchange.profile
    _refuse(body)
    messages = ChatMessagesOfItems(profile)
    messages.add_instructions(body.get("instructions"))
    messages.add_all(body.get("input"))
    out: JsonObject = {"model": upstream_model, "messages": messages.out}
    samples = openai_takes_sampling(upstream_model, profile)
    for name in _SAME:
        if body.get(name) is not None and (samples or name not in SAMPLING):
            out[name] = body[name]
    if body.get("max_output_tokens") is not None:
        out[profile.max_tokens_field] = body["max_output_tokens"]
    if body.get("stream") is True:
        # Usage is asked for: a Responses client always gets it.
        out["stream_options"] = {"include_usage": True}
    as_list(body.get("include"), "include")
    if wants_logprobs(body):
        out["logprobs"] = True
        if body.get("top_logprobs") is not None:
            out["top_logprobs"] = body["top_logprobs"]
    _tools(body, out)
    _reasoning(body, profile, out)
    _text(body, out)
    carry_unknown(body, _KNOWN, out)
    leave_out_refused(out, upstream_model, profile)
    return out


def _refuse(body: JsonObject) -> None:
    for name, harmless in _REFUSED.items():
        if body.get(name) not in harmless:
            raise unsupported(name, CHAT_COMPLETIONS)


def _tools(body: JsonObject, out: JsonObject) -> None:
    tools = read_tools(body)
    choice, left = None, tools.functions
    if body.get("tool_choice") is not None:
        choice, left = chat_tool_choice(body["tool_choice"], tools)
    if not left:
        return  # OpenAI refuses tool_choice and parallel_tool_calls without tools.
    out["tools"] = left
    if choice is not None:
        out["tool_choice"] = choice
    if body.get("parallel_tool_calls") is not None:
        out["parallel_tool_calls"] = body["parallel_tool_calls"]


def _reasoning(body: JsonObject, profile: Profile, out: JsonObject) -> None:
    reasoning = as_object(body.get("reasoning") or {}, "reasoning")
    effort = reasoning.get("effort")
    if effort is not None and (taken := openai_effort(out["model"], effort, profile)) is not None:
        out["reasoning_effort"] = taken


def _text(body: JsonObject, out: JsonObject) -> None:
    text = as_object(body.get("text") or {}, "text")
    if text.get("verbosity") is not None:
        out["verbosity"] = text["verbosity"]
    if text.get("format") is None:
        return
    wanted = as_object(text["format"], "text.format")
    match kind_of(wanted, "text.format"):
        case "text":
            pass
        case "json_object":
            out["response_format"] = {"type": "json_object"}
        case "json_schema":
            schema = {name: value for name, value in wanted.items() if name != "type"}
            out["response_format"] = {"type": "json_schema", "json_schema": schema}
        case _:
            raise unsupported("text.format.type", CHAT_COMPLETIONS)
