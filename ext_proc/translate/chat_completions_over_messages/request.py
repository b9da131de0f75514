"""Chat Completions request -> Messages request.

https://platform.openai.com/docs/api-reference/chat/create, https://platform.claude.com/docs/en/api/messages
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.refusals import REFUSED
from ext_proc.translate.chat_completions.tools import ChatTool, offered_tools
from ext_proc.translate.chat_completions_over_messages.messages import AnthropicMessages
from ext_proc.translate.dropped import CHAT_COMPLETIONS_OVER_MESSAGES as DROPPED
from ext_proc.translate.dropped import carry, drop, refuse
from ext_proc.translate.json_fields import as_object, kind_of, unsupported_kind
from ext_proc.translate.json_schema import closed
from ext_proc.translate.parts import budget_of_effort, take_chat_limit
from ext_proc.translate.provider_tools import warn_of_rest, warn_of_word
from ext_proc.translate.quirks import accepted_effort, accepted_limit, leave_out_refused
from ext_proc.translate.translation import MESSAGES, Exchange
from protos.contract.quirks import Quirks

_ANY_INPUT: Final = {"type": "object", "properties": {}}
CHAT_TIERS: Final = ("auto", "default", "flex", "scale", "priority")
"""Values of service_tier."""
JSON_ONLY: Final = "Answer with a single JSON object and nothing else: no prose around it, and no code fence."
"""Instruction for JSON without a schema, which the API lacks."""


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Messages body for a Chat Completions body."""
    rest, quirks = dict(exchange.request), exchange.quirks
    refuse(rest, REFUSED, MESSAGES)
    messages = AnthropicMessages(exchange)
    messages.add_all(rest.pop("messages", None))
    limit = take_chat_limit(rest)
    rest.pop("model", None)
    out: JsonObject = {
        "model": upstream_model,
        "max_tokens": quirks.default_max_tokens if limit is None else accepted_limit(limit, quirks),
        "messages": messages.out,
    }
    stops = _stop_sequences(rest.pop("stop", None))
    if stops:
        out["stop_sequences"] = stops
    if (stream := rest.pop("stream", None)) is not None:
        out["stream"] = stream
    _tools(rest, exchange, out)
    _format(rest, exchange, messages, out)
    if messages.system:
        out["system"] = messages.system
    _account(rest, exchange, out)
    effort = rest.pop("reasoning_effort", None)
    if isinstance(effort, str) and "thinking" not in rest:
        _think(effort, quirks, out)
    _sample(rest.pop("temperature", None), rest.pop("top_p", None), quirks, out)
    drop(rest, DROPPED)
    carry(rest, out)
    leave_out_refused(out, quirks)
    return out


def _stop_sequences(stop: Any) -> Any:
    """Return the stop sequences without blank ones, which Anthropic rejects."""
    stops = [stop] if isinstance(stop, str) else stop
    return [text for text in stops if not isinstance(text, str) or text.strip()] if isinstance(stops, list) else stops


def _tools(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    offered, choice = offered_tools(rest, exchange, MESSAGES)
    tools = [_tool(tool, exchange.quirks) for tool in offered]
    if not tools:
        # Anthropic rejects calls in the conversation without tools; OpenAI does not.
        tools = [{"name": name, "input_schema": _ANY_INPUT} for name in _called(out["messages"])]
        choice = {"type": "none"}
    if not tools:
        return
    out["tools"] = tools
    if choice is not None:
        out["tool_choice"] = choice


def _tool(tool: ChatTool, quirks: Quirks) -> JsonObject:
    out: JsonObject = {"name": tool.name}
    if tool.description is not None:
        out["description"] = tool.description
    schema = tool.parameters or _ANY_INPUT
    out["input_schema"] = closed(schema) if tool.strict is True and quirks.schemas == "closed" else schema
    if tool.strict is not None:
        out["strict"] = tool.strict
    if tool.cache_control:
        out["cache_control"] = tool.cache_control
    return out


def _called(messages: list[JsonObject]) -> list[str]:
    blocks = [block for message in messages for block in message["content"]]
    return list(dict.fromkeys(block["name"] for block in blocks if block["type"] == "tool_use"))


def _format(rest: JsonObject, exchange: Exchange, messages: AnthropicMessages, out: JsonObject) -> None:
    given = rest.pop("response_format", None)
    if given is None:
        return
    wanted = as_object(given, "response_format")
    match kind_of(wanted, "response_format"):
        case "text":
            pass
        case "json_object":
            messages.system.append({"type": "text", "text": JSON_ONLY})
        case "json_schema":
            place = "response_format.json_schema"
            named = dict(as_object(wanted.get("json_schema"), place))
            schema = as_object(named.pop("schema", None), f"{place}.schema")
            for name in ("name", "strict", "description"):
                named.pop(name, None)
            warn_of_rest(named, place, exchange)
            schema = closed(schema) if exchange.quirks.schemas == "closed" else schema
            out["output_config"] = {"format": {"type": "json_schema", "schema": schema}}
        case _:
            raise unsupported_kind(wanted, "response_format", MESSAGES)


def _account(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    user = rest.pop("user", None) or rest.get("safety_identifier")
    if isinstance(user, str):
        out["metadata"] = {"user_id": user}
    tier = rest.pop("service_tier", None)
    warn_of_word(tier, CHAT_TIERS, "service_tier", exchange)
    if tier in CHAT_TIERS:
        out["service_tier"] = "standard_only" if tier == "default" else "auto"


def _think(effort: str, quirks: Quirks, out: JsonObject) -> None:
    if quirks.thinking == "none":
        return
    if effort == "none":
        out["thinking"] = {"type": "disabled"}
        return
    if quirks.thinking == "adaptive":
        # Clients of OpenAI's APIs receive reasoning without requesting it.
        out["thinking"] = {"type": "adaptive", **({"display": "summarized"} if quirks.omits_thinking else {})}
        if (accepted := accepted_effort(effort, quirks)) is not None:
            out.setdefault("output_config", {})["effort"] = accepted
        return
    limit = out["max_tokens"]
    budget = budget_of_effort(effort, limit) if isinstance(limit, int) else None
    if budget is not None and _may_think(out):
        out["thinking"] = {"type": "enabled", "budget_tokens": budget}


def _may_think(out: JsonObject) -> bool:
    """Whether thinking by budget is allowed: not with a forced tool, nor within a turn whose thoughts are missing."""
    if out.get("tool_choice", {}).get("type") in ("any", "tool"):
        return False
    last = next((message for message in reversed(out["messages"]) if message["role"] == "assistant"), None)
    if last is None or out["messages"][-1] is last:
        return last is None
    answers_tools = any(block["type"] == "tool_result" for block in out["messages"][-1]["content"])
    return not answers_tools or last["content"][0]["type"] in ("thinking", "redacted_thinking")


def _sample(temperature: Any, top_p: Any, quirks: Quirks, out: JsonObject) -> None:
    thinks = out.get("thinking", {}).get("type") in ("enabled", "adaptive")
    if thinks or not quirks.takes_sampling:
        return  # Anthropic only accepts the default.
    if temperature is not None:
        # OpenAI's scale ends at 2, Anthropic's at 1.
        out["temperature"] = min(temperature, 1) if isinstance(temperature, int | float) else temperature
    elif top_p is not None:  # Claude 4.1 and later reject both together.
        out["top_p"] = top_p
