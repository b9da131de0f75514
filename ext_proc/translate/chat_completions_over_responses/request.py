"""Chat Completions request -> Responses request.

https://platform.openai.com/docs/guides/migrate-to-responses
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.refusals import REFUSED as REFUSED_BY_MOST
from ext_proc.translate.chat_completions.tools import chat_tool_kind, known_tools, parameters_of
from ext_proc.translate.chat_completions_over_responses.messages import InputItems
from ext_proc.translate.dropped import CHAT_COMPLETIONS_OVER_RESPONSES as DROPPED
from ext_proc.translate.dropped import carry, drop, refuse
from ext_proc.translate.json_fields import as_object, as_text, kind_of, object_in
from ext_proc.translate.parts import take_chat_limit
from ext_proc.translate.quirks import SAMPLING, accepted_effort, accepted_limit, leave_out_refused
from ext_proc.translate.responses.logprobs import INCLUDE
from ext_proc.translate.translation import RESPONSES, Exchange

_SAME: Final = (
    "temperature",
    "top_p",
    "stream",
    "user",
    "metadata",
    "service_tier",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "parallel_tool_calls",
)
REFUSED: Final[dict[str, tuple[Any, ...]]] = {
    **{name: harmless for name, harmless in REFUSED_BY_MOST.items() if name != "logprobs"},
    "stop": (None, [], ""),
}
INSTRUCTIONS: Final = "Follow the user's instructions."
"""Sent if a provider requires instructions and the client has none."""


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Responses body for a Chat Completions body."""
    rest, quirks = dict(exchange.request), exchange.quirks
    refuse(rest, REFUSED, RESPONSES)
    items = InputItems(exchange)
    items.add_all(rest.pop("messages", None))
    rest.pop("model", None)
    # Responses are stored by default; chat completions are not.
    out: JsonObject = {"model": upstream_model, "input": items.out, "store": rest.pop("store", None) is True}
    if quirks.needs_instructions:
        out["instructions"] = items.take_instructions() or INSTRUCTIONS
    for name in _SAME:
        if (value := rest.pop(name, None)) is not None and (quirks.takes_sampling or name not in SAMPLING):
            out[name] = value
    if (limit := take_chat_limit(rest)) is not None:
        out["max_output_tokens"] = accepted_limit(limit, quirks)
    _reason(rest, exchange, out)
    if rest.pop("logprobs", None):
        out.setdefault("include", []).append(INCLUDE)
        if rest.get("top_logprobs") is not None:
            out["top_logprobs"] = rest["top_logprobs"]
    _tools(rest, exchange, out)
    _text(rest, out)
    drop(rest, (*DROPPED, "top_logprobs"))
    carry(rest, out)
    if quirks.streams_only:
        out |= {"store": False, "stream": True}
    leave_out_refused(out, quirks)
    return out


def _reason(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    asked = rest.pop("reasoning_effort", None)
    effort = None if asked is None else accepted_effort(asked, exchange.quirks)
    if effort is None:
        return
    out["reasoning"] = {"effort": effort}
    if effort != "none":
        # Without storage, reasoning is returned encrypted or not at all. Models without reasoning reject this value.
        out["include"] = ["reasoning.encrypted_content"]


def _tools(rest: JsonObject, exchange: Exchange, out: JsonObject) -> None:
    given, choice = rest.pop("tools", None), rest.pop("tool_choice", None)
    tools = [_tool(tool, where) for tool, where in known_tools(given, choice, exchange, RESPONSES)]
    if not tools:
        out.pop("parallel_tool_calls", None)
        return
    out["tools"] = tools
    if choice is not None:
        out["tool_choice"] = _choice(choice)


def _tool(tool: JsonObject, where: str) -> JsonObject:
    rest = {name: value for name, value in tool.items() if name not in ("type", "function", "custom", "cache_control")}
    if chat_tool_kind(tool, where) == "function":
        function = dict(object_in(tool, "function", where))
        function.pop("cache_control", None)
        out: JsonObject = {"type": "function", "name": as_text(function.pop("name", None), f"{where}.function.name")}
        if (description := function.pop("description", None)) is not None:
            out["description"] = description
        out["parameters"] = parameters_of(function.pop("parameters", None), f"{where}.function.parameters")
        # Functions are strict by default in Responses, but not in Chat Completions.
        out["strict"] = function.pop("strict", None) is True
        return {**rest, **function, **out}
    custom = object_in(tool, "custom", where)
    form = custom.get("format")
    if isinstance(form, dict) and isinstance(form.get("grammar"), dict):
        form = {"type": "grammar", **form["grammar"]}
    return {**rest, "type": "custom", **custom, **({"format": form} if form is not None else {})}


def _choice(choice: Any) -> Any:
    match choice:
        case "auto" | "none" | "required":
            return choice
        case {"type": "function", "function": {"name": str(name)}}:
            return {"type": "function", "name": name}
        case {"type": "custom", "custom": {"name": str(name)}}:
            return {"type": "custom", "name": name}
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode), "tools": list(tools)}}:
            return {"type": "allowed_tools", "mode": mode, "tools": [_choice(tool) for tool in tools]}
    raise MalformedBody("tool_choice is not one of Chat Completions.", param="tool_choice")


def _text(rest: JsonObject, out: JsonObject) -> None:
    text: JsonObject = {}
    if (given := rest.pop("response_format", None)) is not None:
        wanted = as_object(given, "response_format")
        place = "response_format.json_schema"
        if kind_of(wanted, "response_format") == "json_schema":
            text["format"] = {"type": "json_schema", **as_object(wanted.get("json_schema"), place)}
        else:
            text["format"] = wanted
    if (verbosity := rest.pop("verbosity", None)) is not None:
        text["verbosity"] = verbosity
    if text:
        out["text"] = text
