"""Messages request -> Chat Completions request.

https://platform.claude.com/docs/en/api/messages, https://platform.openai.com/docs/api-reference/chat/create
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.tools import parameters_of
from ext_proc.translate.dropped import MESSAGES_OVER_CHAT_COMPLETIONS as DROPPED
from ext_proc.translate.dropped import carry_unknown
from ext_proc.translate.json_fields import as_list, as_object, as_text, kind_of, objects, text_in, unsupported
from ext_proc.translate.messages_over_chat_completions.messages import ChatMessages
from ext_proc.translate.parts import effort_of_budget, user_id
from ext_proc.translate.quirks import SAMPLING, Profile, leave_out_refused, openai_effort, openai_takes_sampling
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange

_SAME: Final = ("temperature", "top_p", "stream")
_REFUSED: Final = ("container", "mcp_servers", "inference_geo")
_KNOWN: Final = (
    frozenset(_SAME)
    | frozenset(_REFUSED)
    | frozenset(DROPPED)
    | {
        "model",
        "messages",
        "system",
        "max_tokens",
        "stop_sequences",
        "metadata",
        "service_tier",
        "tools",
        "tool_choice",
        "thinking",
        "output_config",
        "output_format",
    }
)


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Chat Completions body for a Messages body."""
    body, profile = exchange.request, exchange.profile
    for name in _REFUSED:
        if body.get(name) is not None:
            raise unsupported(name, CHAT_COMPLETIONS)
    messages = ChatMessages(profile)
    messages.add_system(body.get("system"))
    messages.add_all(body.get("messages"))
    out: JsonObject = {"model": upstream_model, "messages": messages.out}
    samples = openai_takes_sampling(upstream_model, profile)
    for name in _SAME:
        if body.get(name) is not None and (samples or name not in SAMPLING):
            out[name] = body[name]
    if body.get("max_tokens") is not None:
        out[profile.max_tokens_field] = body["max_tokens"]
    if body.get("stop_sequences"):
        out["stop"] = body["stop_sequences"]
    if body.get("stream") is True:
        # Usage is asked for: a Messages client always gets it.
        out["stream_options"] = {"include_usage": True}
    _tools(body, profile, out)
    _output(body, profile, out)
    _account(body, out)
    carry_unknown(body, _KNOWN, out)
    leave_out_refused(out, upstream_model, profile)
    return out


def _tools(body: JsonObject, profile: Profile, out: JsonObject) -> None:
    tools = [_tool(tool, where, profile) for tool, where in objects(body.get("tools"), "tools")]
    if not tools:
        return  # OpenAI refuses tool_choice and parallel_tool_calls without tools.
    out["tools"] = tools
    if body.get("tool_choice") is None:
        return
    choice = as_object(body["tool_choice"], "tool_choice")
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
            raise unsupported("tool_choice.type", CHAT_COMPLETIONS)
    if choice.get("disable_parallel_tool_use") is not None:
        out["parallel_tool_calls"] = not choice["disable_parallel_tool_use"]


def _tool(tool: JsonObject, where: str, profile: Profile) -> JsonObject:
    if tool.get("type") not in (None, "custom"):
        # web_search_…, bash_…: run by Anthropic, or known to its models by name only.
        raise unsupported(f"{where}.type", CHAT_COMPLETIONS)
    function: JsonObject = {"name": text_in(tool, "name", where)}
    if tool.get("description") is not None:
        function["description"] = tool["description"]
    function["parameters"] = parameters_of(tool.get("input_schema"), f"{where}.input_schema")
    if tool.get("strict") is not None:
        function["strict"] = tool["strict"]
    out: JsonObject = {"type": "function", "function": function}
    if tool.get("cache_control") and profile.cache_markers == "cache_control":
        out["cache_control"] = tool["cache_control"]
    return out


def _output(body: JsonObject, profile: Profile, out: JsonObject) -> None:
    """Thinking, effort and the format of the answer."""
    config = as_object(body.get("output_config") or {}, "output_config")
    thinking = as_object(body.get("thinking") or {}, "thinking")
    effort: Any = config.get("effort")
    if effort is None and thinking.get("type") == "enabled":
        effort = effort_of_budget(thinking.get("budget_tokens"))
    if effort is not None and (taken := openai_effort(out["model"], effort, profile)) is not None:
        out["reasoning_effort"] = taken
    given = config.get("format") or body.get("output_format")  # output_format was its name during the beta.
    if given is None:
        return
    wanted = as_object(given, "output_config.format")
    if kind_of(wanted, "output_config.format") != "json_schema":
        raise unsupported("output_config.format.type", CHAT_COMPLETIONS)
    schema = as_object(wanted.get("schema"), "output_config.format.schema")
    out["response_format"] = {"type": "json_schema", "json_schema": {"name": "output", "schema": schema, "strict": True}}


def _account(body: JsonObject, out: JsonObject) -> None:
    metadata = as_object(body.get("metadata") or {}, "metadata")
    if isinstance(metadata.get("user_id"), str):
        out["user"] = user_id(metadata["user_id"])
    rest = {name: value for name, value in metadata.items() if name != "user_id"}
    if rest:
        out["metadata"] = rest
    if body.get("service_tier") is not None:
        out["service_tier"] = "default" if body["service_tier"] == "standard_only" else "auto"
    as_list(body.get("stop_sequences"), "stop_sequences")
