"""Tools of a Chat Completions request and `tool_choice`, for upstreams that support only functions."""

from typing import Any, Final, NamedTuple

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import as_function
from ext_proc.translate.json_fields import as_object, as_text, kind_of, object_in, objects
from ext_proc.translate.provider_tools import leave_out, warn_of_rest
from ext_proc.translate.translation import Exchange

_KINDS: Final = ("function", "custom")


class ChatTool(NamedTuple):
    """A function, or the function for a custom tool."""

    name: str
    description: object
    parameters: JsonObject | None
    """None without parameters."""
    strict: object
    cache_control: object
    """Marker of the prompt cache, an extension."""


def offered_tools(rest: JsonObject, exchange: Exchange, api: str) -> tuple[list[ChatTool], JsonObject | None]:
    """Remove tools from a copy of the request; return those that may be called, and `tool_choice` in Anthropic's form.

    Raises:
        UnsupportedFeature: the client requires a kind of tool that `api` lacks.
        MalformedBody: a field is invalid in Chat Completions.
    """
    given, chosen = rest.pop("tools", None), rest.pop("tool_choice", None)
    is_parallel = rest.pop("parallel_tool_calls", None)
    tools = [_tool(tool, where, exchange) for tool, where in known_tools(given, chosen, exchange, api)]
    choice = _choice(chosen) if tools else None
    if choice is not None and "allowed" in choice:
        allowed = choice.pop("allowed")
        tools = [tool for tool in tools if tool.name in allowed]
    if is_parallel is False and tools and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return tools, choice


def known_tools(given: object, choice: object, exchange: Exchange, api: str) -> list[tuple[JsonObject, str]]:
    """Return the functions and custom tools among some tools, each with its path; others are omitted.

    Raises:
        UnsupportedFeature: the client requires one of the others.
    """
    tools = [(tool, where, chat_tool_kind(tool, where)) for tool, where in objects(given, "tools")]
    known = [(tool, where) for tool, where, kind in tools if kind in _KINDS]
    for _, where, kind in tools:
        if kind not in _KINDS:
            is_demanded = _kind_of_choice(choice) == kind or (choice == "required" and not known)
            leave_out(kind, where, exchange, api, is_demanded=is_demanded)
    return known


def _kind_of_choice(choice: object) -> object:
    return choice.get("type") if isinstance(choice, dict) else None


def custom_names(request: JsonObject) -> frozenset[str]:
    """Return the names of the client's custom tools, which went upstream as functions."""
    names = set()
    for tool, _ in objects(request.get("tools"), "tools"):
        if tool.get("type") == "custom" and isinstance(tool.get("custom"), dict):
            names.add(str(tool["custom"].get("name")))
    return frozenset(names)


def chat_tool_kind(tool: JsonObject, where: str) -> str:
    """Return the `type` of a tool; Mistral's SDK leaves it out of functions."""
    return "function" if tool.get("type") is None and "function" in tool else kind_of(tool, where)


def parameters_of(schema: object, where: str) -> JsonObject:
    """Return the schema of a tool's arguments in OpenAI's form: an object without `properties` is a 400 there."""
    given = as_object(schema, where) if schema else {}
    is_object = given.get("type", "object") == "object"
    return given if not is_object or "properties" in given or "$ref" in given else {"type": "object", **given, "properties": {}}


def _tool(tool: JsonObject, where: str, exchange: Exchange) -> ChatTool:
    rest = {name: value for name, value in tool.items() if name not in ("type", "function", "custom")}
    marker = rest.pop("cache_control", None)
    if chat_tool_kind(tool, where) == "function":
        function = dict(object_in(tool, "function", where))
    else:
        custom = object_in(tool, "custom", where)
        name = as_text(custom.get("name"), f"{where}.custom.name")
        function = as_function(name, custom.get("description"), custom.get("format"))
    parameters = function.pop("parameters", None)
    made = ChatTool(
        name=as_text(function.pop("name", None), f"{where}.function.name"),
        description=function.pop("description", None),
        parameters=as_object(parameters, f"{where}.function.parameters") if parameters else None,
        strict=function.pop("strict", None),
        cache_control=marker or function.pop("cache_control", None),
    )
    warn_of_rest(function, f"{where}.function", exchange)
    warn_of_rest(rest, where, exchange)
    return made


def _choice(choice: Any) -> JsonObject | None:
    match choice:
        case None:
            return None
        case "auto" | "none":
            return {"type": choice}
        case "required":
            return {"type": "any"}
        case {"type": "function", "function": {"name": str(name)}} | {"type": "custom", "custom": {"name": str(name)}}:
            return {"type": "tool", "name": name}
        case {"type": "allowed_tools", "allowed_tools": {"mode": "auto" | "required" as mode, "tools": list(tools)}}:
            return {"type": "any" if mode == "required" else "auto", "allowed": [_allowed(tool) for tool in tools]}
    raise MalformedBody("tool_choice is not one of Chat Completions.", param="tool_choice")


def _allowed(tool: Any) -> str:
    match tool:
        case {"function": {"name": str(name)}} | {"custom": {"name": str(name)}}:
            return name
    raise MalformedBody("tool_choice.allowed_tools.tools must name tools.", param="tool_choice.allowed_tools.tools")
