"""Tools of the Responses API as functions of Chat Completions, and back.

Functions of a namespace get its name as a prefix; custom tools become functions of one string. ResponsesTools knows which
function represents which tool, from the client's request alone, so that answers can be given in the client's terms.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import as_function
from ext_proc.translate.chat_completions.tools import parameters_of
from ext_proc.translate.json_fields import kind_of, objects, text_in, unsupported
from ext_proc.translate.provider_tools import leave_out, refused, warn_of_rest
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange

_SEPARATOR: Final = "__"
PROVIDERS_OWN: Final = frozenset(
    {
        *("web_search_call", "file_search_call", "image_generation_call", "code_interpreter_call", "tool_search_call"),
        *("tool_search_output", "mcp_list_tools", "mcp_call", "mcp_approval_request", "mcp_approval_response"),
        *("program", "program_output"),
    }
)
"""Calls and results of tools that OpenAI ran."""


class ClientTool(NamedTuple):
    """The client's name of a tool."""

    name: str
    kind: Literal["function", "custom"] = "function"
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class ResponsesTools:
    """The tools of one request."""

    functions: list[JsonObject] = field(default_factory=list)
    """As Chat Completions has them."""
    names: dict[str, ClientTool] = field(default_factory=dict)
    """Name of the function -> the client's tool."""

    def client_tool(self, function: str) -> ClientTool:
        """Return the client's name of a function; models also call functions that do not exist."""
        return self.names.get(function) or ClientTool(function)


def read_tools(request: JsonObject, exchange: Exchange) -> ResponsesTools:
    """Read the tools of a Responses request, including those in its input.

    Raises:
        UnsupportedFeature: the client requires a tool that only OpenAI runs.
    """
    tools = ResponsesTools()
    others: list[tuple[str, str]] = []
    for tool, where in _declared(request):
        _add(tools, tool, where, exchange, others)
    choice = request.get("tool_choice")
    for kind, where in others:
        is_demanded = choice == "required" and not tools.functions
        leave_out(kind, where, exchange, CHAT_COMPLETIONS, is_demanded=is_demanded or _demands(choice, kind))
    return tools


def _declared(request: JsonObject) -> Iterator[tuple[JsonObject, str]]:
    yield from objects(request.get("tools"), "tools")
    given = request.get("input")
    for index, item in enumerate(given if isinstance(given, list) else ()):
        if isinstance(item, dict) and item.get("type") == "additional_tools":
            yield from objects(item.get("tools"), f"input[{index}].tools")


def _demands(choice: Any, kind: str) -> bool:
    return isinstance(choice, dict) and choice.get("type") == kind


def function_name(name: str, namespace: object) -> str:
    """Return the name of the function for a tool."""
    return f"{namespace}{_SEPARATOR}{name}" if isinstance(namespace, str) and namespace else name


def chat_tool_choice(choice: Any, tools: ResponsesTools) -> tuple[Any, list[JsonObject]]:
    """Return chat's tool_choice, and the tools that it allows."""
    match choice:
        case "auto" | "none" | "required":
            return choice, tools.functions
        case {"type": "function" | "custom", "name": str(name)}:
            named = function_name(name, choice.get("namespace"))
            return {"type": "function", "function": {"name": named}}, tools.functions
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)}:
            # Chat Completions has allowed_tools too, but few servers support it: omitting the others works everywhere.
            names = {_allowed(tool) for tool in allowed}
            left = [tool for tool in tools.functions if tool["function"]["name"] in names]
            if mode == "required" and not left:
                raise unsupported("tool_choice.tools", CHAT_COMPLETIONS)
            return mode, left
        case {"type": str(kind)}:
            raise refused(kind, "tool_choice.type", CHAT_COMPLETIONS)
    raise MalformedBody("tool_choice is not one of the Responses API.", param="tool_choice")


def _allowed(tool: Any) -> str | None:
    """Return the name of the function for an allowed tool; None if only OpenAI runs it."""
    match tool:
        case {"type": "function" | "custom", "name": str(name)}:
            return function_name(name, tool.get("namespace"))
        case {"type": str()}:
            return None
    raise MalformedBody("tool_choice.tools must name tools.", param="tool_choice.tools")


def _add(
    tools: ResponsesTools,
    tool: JsonObject,
    where: str,
    exchange: Exchange,
    others: list[tuple[str, str]],
    space: JsonObject | None = None,
) -> None:
    """Add a tool; `space` is its namespace, and `others` collects those that only OpenAI runs."""
    kind = kind_of(tool, where)
    namespace = space["name"] if space is not None else None
    if kind == "namespace" and space is None:
        text_in(tool, "name", where)
        for inner, place in objects(tool.get("tools"), f"{where}.tools"):
            _add(tools, inner, place, exchange, others, tool)
        return
    if kind == "function":
        client = ClientTool(text_in(tool, "name", where), namespace=namespace)
        function = _function(dict(tool), where, exchange)
    elif kind == "custom":
        client = ClientTool(text_in(tool, "name", where), kind="custom", namespace=namespace)
        function = as_function(client.name, tool.get("description"), tool.get("format"))
    else:  # web_search, file_search, mcp, code_interpreter, computer…
        others.append((kind, where))
        return
    function["name"] = function_name(client.name, namespace)
    if space is not None and isinstance(space.get("description"), str) and space["description"]:
        own = function.get("description")
        told = f"{namespace}: {space['description']}"
        function["description"] = f"{told}\n\n{own}" if isinstance(own, str) and own else told
    if function["name"] not in tools.names:  # Tools in the input may repeat those in `tools`.
        tools.functions.append({"type": "function", "function": function})
        exchange.note(tools.functions[-1], where)
        tools.names[function["name"]] = client


def _function(rest: JsonObject, where: str, exchange: Exchange) -> JsonObject:
    function: JsonObject = {"name": rest.pop("name", None)}
    if (description := rest.pop("description", None)) is not None:
        function["description"] = description
    if (parameters := rest.pop("parameters", None)) is not None:
        function["parameters"] = parameters_of(parameters, f"{where}.parameters")
    if (strict := rest.pop("strict", None)) is not None:
        function["strict"] = strict
    callers = rest.pop("allowed_callers", None)
    if isinstance(callers, list) and callers and "direct" not in callers:
        raise unsupported(f"{where}.allowed_callers", CHAT_COMPLETIONS)
    for name in ("type", "defer_loading", "output_schema"):
        rest.pop(name, None)  # It is offered at once; the client handles its results.
    warn_of_rest(rest, where, exchange)
    return function
