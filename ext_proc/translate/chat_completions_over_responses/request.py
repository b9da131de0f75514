"""Chat Completions request -> Responses request.

https://platform.openai.com/docs/guides/migrate-to-responses
"""

from typing import Any, Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.refusals import REFUSED, refuse
from ext_proc.translate.chat_completions.tools import chat_tool_kind, parameters_of
from ext_proc.translate.chat_completions_over_responses.messages import InputItems
from ext_proc.translate.dropped import CHAT_COMPLETIONS_OVER_RESPONSES as DROPPED
from ext_proc.translate.dropped import carry_unknown
from ext_proc.translate.json_fields import as_object, as_text, kind_of, object_in, objects, unsupported
from ext_proc.translate.parts import chat_limit
from ext_proc.translate.quirks import SAMPLING, openai_effort, openai_takes_sampling
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
_KNOWN: Final = (
    frozenset(_SAME)
    | frozenset(DROPPED)
    | REFUSED
    | {
        "model",
        "messages",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "store",
        "tools",
        "tool_choice",
        "reasoning_effort",
        "response_format",
        "verbosity",
        "top_logprobs",
    }
)


def request(exchange: Exchange, upstream_model: str) -> JsonObject:
    """Return the Responses body for a Chat Completions body."""
    body = exchange.request
    refuse(body, RESPONSES, carried=("logprobs",))
    if body.get("stop"):
        raise unsupported("stop", RESPONSES)
    items = InputItems(exchange.profile)
    items.add_all(body.get("messages"))
    # Responses are stored unless told otherwise; chat completions are not.
    out: JsonObject = {"model": upstream_model, "input": items.out, "store": body.get("store") is True}
    samples = openai_takes_sampling(upstream_model, exchange.profile)
    for name in _SAME:
        if body.get(name) is not None and (samples or name not in SAMPLING):
            out[name] = body[name]
    limit = chat_limit(body)
    if limit is not None:
        out["max_output_tokens"] = limit
    asked = body.get("reasoning_effort")
    effort = None if asked is None else openai_effort(upstream_model, asked, exchange.profile)
    if effort is not None:
        out["reasoning"] = {"effort": effort}
        if effort != "none":
            # Reasoning that is not stored goes back encrypted, or not at all. Models that do not reason refuse the word.
            out["include"] = ["reasoning.encrypted_content"]
    if body.get("logprobs"):
        out.setdefault("include", []).append(INCLUDE)
        if body.get("top_logprobs") is not None:
            out["top_logprobs"] = body["top_logprobs"]
    _tools(body, out)
    _text(body, out)
    carry_unknown(body, _KNOWN, out)
    return out


def _tools(body: JsonObject, out: JsonObject) -> None:
    tools = [_tool(tool, where) for tool, where in objects(body.get("tools"), "tools")]
    if not tools:
        out.pop("parallel_tool_calls", None)
        return
    out["tools"] = tools
    if body.get("tool_choice") is not None:
        out["tool_choice"] = _choice(body["tool_choice"])


def _tool(tool: JsonObject, where: str) -> JsonObject:
    match chat_tool_kind(tool, where):
        case "function":
            function = object_in(tool, "function", where)
            out: JsonObject = {"type": "function", "name": as_text(function.get("name"), f"{where}.function.name")}
            if function.get("description") is not None:
                out["description"] = function["description"]
            out["parameters"] = parameters_of(function.get("parameters"), f"{where}.function.parameters")
            # Responses makes functions strict unless told otherwise, Chat Completions does not.
            out["strict"] = function.get("strict") is True
            return out
        case "custom":
            custom = object_in(tool, "custom", where)
            form = custom.get("format")
            if isinstance(form, dict) and isinstance(form.get("grammar"), dict):
                form = {"type": "grammar", **form["grammar"]}
            return {"type": "custom", **custom, **({"format": form} if form is not None else {})}
        case _:
            raise unsupported(f"{where}.type", RESPONSES)


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


def _text(body: JsonObject, out: JsonObject) -> None:
    text: JsonObject = {}
    if body.get("response_format") is not None:
        wanted = as_object(body["response_format"], "response_format")
        place = "response_format.json_schema"
        if kind_of(wanted, "response_format") == "json_schema":
            text["format"] = {"type": "json_schema", **as_object(wanted.get("json_schema"), place)}
        else:
            text["format"] = wanted
    if body.get("verbosity") is not None:
        text["verbosity"] = body["verbosity"]
    if text:
        out["text"] = text
