"""Messages request -> Chat Completions request.

https://platform.claude.com/docs/en/api/messages, https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.dropped import MESSAGES_OVER_CHAT_COMPLETIONS as DROPPED
from ext_proc.translate.dropped import carry, drop, refuse
from ext_proc.translate.json_fields import as_list, as_object, as_text, kind_of, unsupported_kind
from ext_proc.translate.json_schema import is_strict
from ext_proc.translate.messages.tools import MessagesTool, offered_tools
from ext_proc.translate.messages_over_chat_completions.messages import ChatMessages
from ext_proc.translate.parts import effort_of_budget, user_id
from ext_proc.translate.provider_tools import leave_out, warn_of_rest, warn_of_word
from ext_proc.translate.quirks import SAMPLING, accepted_effort, accepted_limit, leave_out_refused
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange

MESSAGES_TIERS: Final = ("auto", "standard_only")
"""Values of service_tier."""
_SAME: Final = ("temperature", "top_p", "stream")
REFUSED: Final[dict[str, tuple[Any, ...]]] = {
    "container": (None,),
    "inference_geo": (None,),
    "thread": (None,),
    "compaction": (None,),
}
"""Unsupported fields -> values without an effect."""


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Chat Completions body for a Messages body."""
    rest, quirks = dict(exchange.request), exchange.quirks
    refuse(rest, REFUSED, CHAT_COMPLETIONS)
    if rest.pop("mcp_servers", None):
        leave_out("mcp_servers", "mcp_servers", exchange, CHAT_COMPLETIONS)
    messages = ChatMessages(exchange)
    messages.add_system(rest.pop("system", None))
    messages.add_all(rest.pop("messages", None))
    rest.pop("model", None)
    out: JsonObject = {"model": upstream_model, "messages": messages.out}
    for name in _SAME:
        if (value := rest.pop(name, None)) is not None and (quirks.takes_sampling or name not in SAMPLING):
            out[name] = value
    if (limit := rest.pop("max_tokens", None)) is not None:
        out[quirks.max_tokens_field] = accepted_limit(limit, quirks)
    stops = as_list(rest.pop("stop_sequences", None), "stop_sequences")
    if stops:
        out["stop"] = stops
    if out.get("stream") is True:
        # Request usage, because a Messages client always receives it.
        out["stream_options"] = {"include_usage": True}
    _tools(rest, exchange, out)
    _output(rest, exchange, out)
    _account(rest, exchange, out)
    drop(rest, DROPPED)
    carry(rest, out)
    leave_out_refused(out, quirks)
    return out


def _tools(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    tools = [_tool(tool, exchange) for tool in offered_tools(rest, exchange, CHAT_COMPLETIONS)]
    given = rest.pop("tool_choice", None)
    if not tools:
        return  # OpenAI rejects tool_choice and parallel_tool_calls without tools.
    out["tools"] = tools
    if given is None:
        return
    choice = as_object(given, "tool_choice")
    match kind_of(choice, "tool_choice"):
        case "auto":
            out["tool_choice"] = "auto"
        case "any":
            out["tool_choice"] = "required"
        case "none":
            out["tool_choice"] = "none"
        case "tool":
            name = as_text(choice.get("name"), "tool_choice.name")
            out["tool_choice"] = {"type": "function", "function": {"name": name}}
        case _:
            raise unsupported_kind(choice, "tool_choice", CHAT_COMPLETIONS)
    if choice.get("disable_parallel_tool_use") is not None:
        out["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]


def _tool(tool: MessagesTool, exchange: Exchange) -> JsonObject:
    function: JsonObject = {"name": tool.name}
    if tool.description is not None:
        function["description"] = tool.description
    function["parameters"] = tool.schema
    if tool.strict is not None:
        function["strict"] = tool.strict is True and is_strict(tool.schema)
    out: JsonObject = {"type": "function", "function": function}
    if tool.cache_control and exchange.quirks.cache_markers == "cache_control":
        out["cache_control"] = tool.cache_control
    exchange.note(out, tool.where)
    return out


def _output(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    """Thinking, effort and the format of the answer."""
    config = dict(as_object(rest.pop("output_config", None) or {}, "output_config"))
    thinking = dict(as_object(rest.pop("thinking", None) or {}, "thinking"))
    kind, budget = thinking.pop("type", None), thinking.pop("budget_tokens", None)
    thinking.pop("display", None)  # Reasoning is returned in the upstream's form.
    effort = config.pop("effort", None)
    if effort is None and kind == "enabled":
        effort = effort_of_budget(budget)
    if effort is not None and not exchange.is_lossless:
        effort = accepted_effort(effort, exchange.quirks)
    if effort is not None:
        out["reasoning_effort"] = effort
    output_format = rest.pop("output_format", None)  # Its name during the beta.
    wanted = config.pop("format", None) or output_format
    config.pop("task_budget", None)
    warn_of_rest(thinking, "thinking", exchange)
    warn_of_rest(config, "output_config", exchange)
    if wanted is not None:
        out["response_format"] = _format(as_object(wanted, "output_config.format"))


def _format(wanted: JsonObject) -> JsonObject:
    if kind_of(wanted, "output_config.format") != "json_schema":
        raise unsupported_kind(wanted, "output_config.format", CHAT_COMPLETIONS)
    schema = as_object(wanted.get("schema"), "output_config.format.schema")
    # OpenAI rejects strict schemas unless all properties are required.
    return {"type": "json_schema", "json_schema": {"name": "output", "schema": schema, "strict": is_strict(schema)}}


def _account(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    metadata = dict(as_object(rest.pop("metadata", None) or {}, "metadata"))
    user = metadata.pop("user_id", None)
    if isinstance(user, str):
        out["user"] = user_id(user)
    if metadata:
        out["metadata"] = metadata
    tier = rest.pop("service_tier", None)
    warn_of_word(tier, MESSAGES_TIERS, "service_tier", exchange)
    if tier in MESSAGES_TIERS:
        out["service_tier"] = "default" if tier == "standard_only" else "auto"
