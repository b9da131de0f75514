"""Tools of a Messages request, for upstreams that support only functions."""

from typing import Final, NamedTuple

from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.tools import parameters_of
from ext_proc.translate.json_fields import dump, objects, text_in, unsupported
from ext_proc.translate.provider_tools import leave_out, warn_of_rest
from ext_proc.translate.translation import Exchange

_HINTS: Final = ("type", "defer_loading", "eager_input_streaming")
"""Members of a tool for Anthropic's loading and streaming, which other APIs lack."""

PROVIDERS_OWN: Final = frozenset(
    {
        *("server_tool_use", "web_search_tool_result", "web_fetch_tool_result", "code_execution_tool_result"),
        *("bash_code_execution_tool_result", "text_editor_code_execution_tool_result", "tool_search_tool_result"),
        *("mcp_tool_use", "mcp_tool_result", "mcp_tool_listing", "advisor_tool_result"),
    }
)
"""Calls and results of tools that Anthropic ran."""


class MessagesTool(NamedTuple):
    """A tool that the client runs."""

    where: str
    """Its place in the request."""
    name: str
    description: object
    schema: JsonObject
    strict: object
    cache_control: object
    """Marker of the prompt cache."""


def offered_tools(rest: JsonObject, exchange: Exchange, api: str) -> list[MessagesTool]:
    """Remove and return `tools` of a copy of the request.

    Raises:
        UnsupportedFeature: the client requires a tool that only Anthropic runs.
        MalformedBody: a field is invalid in Messages.
    """
    given = list(objects(rest.pop("tools", None), "tools"))
    own = [(tool, where) for tool, where in given if tool.get("type") in (None, "custom")]
    choice = rest.get("tool_choice")
    for tool, where in given:
        if tool.get("type") not in (None, "custom"):
            is_demanded = isinstance(choice, dict) and _demands(choice, tool, others=bool(own))
            leave_out(str(tool.get("type")), where, exchange, api, is_demanded=is_demanded)
    return [_tool(dict(tool), where, exchange, api) for tool, where in own]


def _demands(choice: JsonObject, tool: JsonObject, *, others: bool) -> bool:
    if choice.get("type") == "tool":
        return choice.get("name") == tool.get("name")
    return choice.get("type") == "any" and not others


def _tool(rest: JsonObject, where: str, exchange: Exchange, api: str) -> MessagesTool:
    tool = MessagesTool(
        where=where,
        name=text_in(rest, "name", where),
        description=_described(rest, where),
        schema=parameters_of(rest.pop("input_schema", None), f"{where}.input_schema"),
        strict=rest.pop("strict", None),
        cache_control=rest.pop("cache_control", None),
    )
    callers = rest.pop("allowed_callers", None)
    if isinstance(callers, list) and callers and "direct" not in callers:
        raise unsupported(f"{where}.allowed_callers", api)
    for name in ("name", *_HINTS):
        rest.pop(name, None)
    warn_of_rest(rest, where, exchange)
    return tool


def _described(rest: JsonObject, where: str) -> object:
    """Return the description of a tool with its examples, for which only Anthropic has a field."""
    description, examples = rest.pop("description", None), rest.pop("input_examples", None)
    if not isinstance(examples, list) or not examples:
        return description
    told = "\n".join(dump(example, f"{where}.input_examples") for example in examples)
    return f"{description}\n\nExamples of input:\n{told}" if isinstance(description, str) else f"Examples of input:\n{told}"
