"""Chat Completions request -> Messages request.

https://platform.openai.com/docs/api-reference/chat/create, https://platform.claude.com/docs/en/api/messages
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.refusals import REFUSED, refuse
from ext_proc.translate.chat_completions.tools import ChatTool, offered_tools
from ext_proc.translate.chat_completions_over_messages.messages import AnthropicMessages
from ext_proc.translate.dropped import CHAT_COMPLETIONS_OVER_MESSAGES as DROPPED
from ext_proc.translate.dropped import carry_unknown
from ext_proc.translate.json_fields import as_object, kind_of, unsupported
from ext_proc.translate.parts import budget_of_effort, chat_limit
from ext_proc.translate.quirks import claude_effort, default_max_tokens, takes_sampling, thinking_style
from ext_proc.translate.translation import MESSAGES, Exchange

_KNOWN: Final = (
    frozenset(DROPPED)
    | REFUSED
    | {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "stream",
        "temperature",
        "top_p",
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "reasoning_effort",
        "response_format",
        "user",
        "service_tier",
    }
)
_ANY_INPUT: Final = {"type": "object", "properties": {}}


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Messages body for a Chat Completions body."""
    body, profile = exchange.request, exchange.profile
    refuse(body, MESSAGES)
    messages = AnthropicMessages(system_messages=profile.system_messages)
    messages.add_all(body.get("messages"))
    limit = chat_limit(body)
    out: JsonObject = {
        "model": upstream_model,
        "max_tokens": limit if limit is not None else default_max_tokens(upstream_model, profile),
        "messages": messages.out,
    }
    if messages.system:
        out["system"] = messages.system
    stops = _stop_sequences(body.get("stop"))
    if stops:
        out["stop_sequences"] = stops
    if body.get("stream") is not None:
        out["stream"] = body["stream"]
    _tools(body, out)
    _format(body, out)
    _account(body, out)
    if "thinking" not in body:
        _think(body, thinking_style(upstream_model, profile), out)
    if takes_sampling(upstream_model):
        _sample(body, out)
    carry_unknown(body, _KNOWN, out)
    return out


def _stop_sequences(stop: Any) -> Any:
    """Return what ends an answer, without blank sequences, which Anthropic refuses."""
    stops = [stop] if isinstance(stop, str) else stop
    return [text for text in stops if not isinstance(text, str) or text.strip()] if isinstance(stops, list) else stops


def _tools(body: JsonObject, out: JsonObject) -> None:
    offered, choice = offered_tools(body, MESSAGES)
    tools = [_tool(tool) for tool in offered]
    if not tools:
        # Anthropic refuses calls in the conversation without tools; OpenAI does not.
        tools = [{"name": name, "input_schema": _ANY_INPUT} for name in _called(out["messages"])]
        choice = {"type": "none"}
    if not tools:
        return
    out["tools"] = tools
    if choice is not None:
        out["tool_choice"] = choice


def _tool(tool: ChatTool) -> JsonObject:
    out: JsonObject = {"name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    out["input_schema"] = tool.parameters or _ANY_INPUT
    if tool.strict is not None:
        out["strict"] = tool.strict
    if tool.cache_control:
        out["cache_control"] = tool.cache_control
    return out


def _called(messages: list[JsonObject]) -> list[str]:
    blocks = [block for message in messages for block in message["content"]]
    return list(dict.fromkeys(block["name"] for block in blocks if block["type"] == "tool_use"))


def _format(body: JsonObject, out: JsonObject) -> None:
    if body.get("response_format") is None:
        return
    wanted = as_object(body["response_format"], "response_format")
    match kind_of(wanted, "response_format"):
        case "text":
            pass
        case "json_schema":
            place = "response_format.json_schema"
            schema = as_object(as_object(wanted.get("json_schema"), place).get("schema"), f"{place}.schema")
            out["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        case _:  # json_object: Anthropic has no JSON without a schema.
            raise unsupported("response_format.type", MESSAGES)


def _account(body: JsonObject, out: JsonObject) -> None:
    user = body.get("user") or body.get("safety_identifier")
    if isinstance(user, str):
        out["metadata"] = {"user_id": user}
    if body.get("service_tier") is not None:
        out["service_tier"] = "standard_only" if body["service_tier"] == "default" else "auto"


def _think(body: JsonObject, style: str, out: JsonObject) -> None:
    effort = body.get("reasoning_effort")
    if not isinstance(effort, str) or style == "none":
        return
    if effort == "none":
        out["thinking"] = {"type": "disabled"}
        return
    if style == "adaptive":
        out["thinking"] = {"type": "adaptive"}
        out.setdefault("output_config", {})["effort"] = claude_effort(out["model"], effort)
        return
    limit = out["max_tokens"]
    budget = budget_of_effort(effort, limit) if isinstance(limit, int) else None
    if budget is not None and _may_think(out):
        out["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _may_think(out: JsonObject) -> bool:
    """Tell if thinking by budget is allowed: not with a forced tool, nor within a turn whose thoughts are not there."""
    if out.get("tool_choice", {}).get("type") in ("any", "tool"):
        return False
    last = next((message for message in reversed(out["messages"]) if message["role"] == "assistant"), None)
    if last is None or out["messages"][-1] is last:
        return last is None
    answers_tools = any(block["type"] == "tool_result" for block in out["messages"][-1]["content"])
    return not answers_tools or last["content"][0]["type"] in ("thinking", "redacted_thinking")


def _sample(body: JsonObject, out: JsonObject) -> None:
    thinks = out.get("thinking", {}).get("type") in ("enabled", "adaptive")
    temperature, top_p = body.get("temperature"), body.get("top_p")
    if thinks:
        return  # Anthropic accepts its own choice only.
    if temperature is not None:
        # OpenAI's scale ends at 2, Anthropic's at 1.
        out["temperature"] = min(temperature, 1) if isinstance(temperature, int | float) else temperature
    elif top_p is not None:  # Claude 4.1 and later refuse both at once.
        out["top_p"] = top_p
