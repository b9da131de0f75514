"""Tools of a Chat Completions request, and the choice among them, for upstreams that know functions only."""

from typing import Any, NamedTuple

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import as_function
from ext_proc.translate.json_fields import as_object, as_text, kind_of, object_in, objects, unsupported


class ChatTool(NamedTuple):
    """A function, or what stands for a custom tool."""

    name: str
    description: object
    parameters: JsonObject | None
    """None if it takes none."""
    strict: object
    cache_control: object
    """Marker of the prompt cache, an extension."""


def offered_tools(body: JsonObject, api: str) -> tuple[list[ChatTool], JsonObject | None]:
    """Return the tools that may be called, and the choice among them in Anthropic's words.

    Raises:
        UnsupportedFeature: a tool is of a kind that `api` has no place for.
        MalformedBody: a field is not one of Chat Completions.
    """
    tools = [_tool(tool, where, api) for tool, where in objects(body.get("tools"), "tools")]
    choice = _choice(body.get("tool_choice")) if tools else None
    if choice is not None and "allowed" in choice:
        allowed = choice.pop("allowed")
        tools = [tool for tool in tools if tool.name in allowed]
    if body.get("parallel_tool_calls") is False and tools and (choice is None or choice["type"] != "none"):
        choice = {**(choice or {"type": "auto"}), "disable_parallel_tool_use": True}
    return tools, choice


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
    """Return the schema of a tool's arguments as OpenAI's API takes it: an object without `properties` is a 400 there."""
    given = as_object(schema, where) if schema else {}
    is_object = given.get("type", "object") == "object"
    return given if not is_object or "properties" in given or "$ref" in given else {"type": "object", **given, "properties": {}}


def _tool(tool: JsonObject, where: str, api: str) -> ChatTool:
    match chat_tool_kind(tool, where):
        case "function":
            function = object_in(tool, "function", where)
        case "custom":
            custom = object_in(tool, "custom", where)
            name = as_text(custom.get("name"), f"{where}.custom.name")
            function = as_function(name, custom.get("description"), custom.get("format"))
        case _:
            raise unsupported(f"{where}.type", api)
    parameters = function.get("parameters")
    return ChatTool(
        name=as_text(function.get("name"), f"{where}.function.name"),
        description=function.get("description"),
        parameters=as_object(parameters, f"{where}.function.parameters") if parameters else None,
        strict=function.get("strict"),
        cache_control=tool.get("cache_control") or function.get("cache_control"),
    )


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
