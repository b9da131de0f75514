"""Tools of the Responses API as functions of Chat Completions, and back.

Functions of a namespace get its name as a prefix; custom tools become functions of one string. ResponsesTools knows which
function stands for what, from the client's request alone, so that answers can be told in the client's terms.
"""

from dataclasses import dataclass, field
from typing import Any, Final, Literal, NamedTuple

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import as_function
from ext_proc.translate.chat_completions.tools import parameters_of
from ext_proc.translate.json_fields import kind_of, objects, text_in, unsupported
from ext_proc.translate.translation import CHAT_COMPLETIONS

_SEPARATOR: Final = "__"


class ClientTool(NamedTuple):
    """What the client calls a tool."""

    name: str
    kind: Literal["function", "custom"] = "function"
    namespace: str | None = None


@dataclass(frozen=True, slots=True)
class ResponsesTools:
    """The tools of one request."""

    functions: list[JsonObject] = field(default_factory=list)
    """As Chat Completions has them."""
    names: dict[str, ClientTool] = field(default_factory=dict)
    """Name of the function -> what the client calls it."""

    def client_tool(self, function: str) -> ClientTool:
        """Return what the client calls a function; models call functions that do not exist, too."""
        return self.names.get(function) or ClientTool(function)


def read_tools(request: JsonObject) -> ResponsesTools:
    """Read the tools of a Responses request."""
    tools = ResponsesTools()
    for tool, where in objects(request.get("tools"), "tools"):
        _add(tools, tool, where, None)
    return tools


def function_name(name: str, namespace: object) -> str:
    """Return the name of the function that stands for a tool."""
    return f"{namespace}{_SEPARATOR}{name}" if isinstance(namespace, str) and namespace else name


def chat_tool_choice(choice: Any, tools: ResponsesTools) -> tuple[Any, list[JsonObject]]:
    """Return chat's tool_choice, and the tools that it leaves."""
    match choice:
        case "auto" | "none" | "required":
            return choice, tools.functions
        case {"type": "function" | "custom", "name": str(name)}:
            named = function_name(name, choice.get("namespace"))
            return {"type": "function", "function": {"name": named}}, tools.functions
        case {"type": "allowed_tools", "mode": "auto" | "required" as mode, "tools": list(allowed)}:
            # Chat Completions has allowed_tools too, but few servers do: leaving the others out says the same everywhere.
            names = {_allowed(tool) for tool in allowed}
            return mode, [tool for tool in tools.functions if tool["function"]["name"] in names]
        case {"type": str()}:
            raise unsupported("tool_choice.type", CHAT_COMPLETIONS)
    raise MalformedBody("tool_choice is not one of the Responses API.", param="tool_choice")


def _allowed(tool: Any) -> str:
    match tool:
        case {"type": "function" | "custom", "name": str(name)}:
            return function_name(name, tool.get("namespace"))
    raise unsupported("tool_choice.tools", CHAT_COMPLETIONS)


def _add(tools: ResponsesTools, tool: JsonObject, where: str, namespace: str | None) -> None:
    match kind_of(tool, where):
        case "function":
            client = ClientTool(text_in(tool, "name", where), namespace=namespace)
            function: JsonObject = {"name": function_name(client.name, namespace)}
            if tool.get("description") is not None:
                function["description"] = tool["description"]
            if tool.get("parameters") is not None:
                function["parameters"] = parameters_of(tool["parameters"], f"{where}.parameters")
            if tool.get("strict") is not None:
                function["strict"] = tool["strict"]
        case "custom":
            client = ClientTool(text_in(tool, "name", where), kind="custom", namespace=namespace)
            named = function_name(client.name, namespace)
            function = as_function(named, tool.get("description"), tool.get("format"))
        case "namespace" if namespace is None:
            name = text_in(tool, "name", where)
            for inner, place in objects(tool.get("tools"), f"{where}.tools"):
                _add(tools, inner, place, name)
            return
        case _:  # web_search, file_search, mcp, code_interpreter, computer…: run by OpenAI.
            raise unsupported(f"{where}.type", CHAT_COMPLETIONS)
    tools.functions.append({"type": "function", "function": function})
    tools.names[function["name"]] = client
