"""OpenAI's custom tools (input is text, possibly with a grammar), for upstreams that support only functions.

The tool becomes a function with one string, and a call of that function becomes a call of the tool.
"""

from typing import Final

import orjson

from ext_proc.codec.json_body import JsonObject

FIELD: Final = "input"


def as_function(name: str, description: object, form: object) -> JsonObject:
    """Return the function (name, description, parameters) for a custom tool."""
    told = [description] if isinstance(description, str) and description else []
    grammar = _grammar(form)
    if grammar:
        told.append(grammar)
    schema: JsonObject = {
        "type": "object",
        "properties": {FIELD: {"type": "string", "description": "The input of the tool, as plain text."}},
        "required": [FIELD],
        "additionalProperties": False,
    }
    function: JsonObject = {"name": name, "parameters": schema}
    if told:
        function["description"] = "\n\n".join(told)
    return function


def wrap(text: str) -> str:
    """Return the arguments of the function for an input of the tool."""
    return orjson.dumps({FIELD: text}).decode()


def unwrap(arguments: str) -> str:
    """Return the tool's input from the function's arguments; other arguments are returned unchanged."""
    try:
        parsed = orjson.loads(arguments)
    except orjson.JSONDecodeError:
        return arguments
    if isinstance(parsed, dict) and isinstance(parsed.get(FIELD), str):
        return str(parsed[FIELD])
    return arguments


def _grammar(form: object) -> str:
    if not isinstance(form, dict):
        return ""
    # Chat Completions nests the grammar, Responses does not.
    grammar = form["grammar"] if isinstance(form.get("grammar"), dict) else form
    definition = grammar.get("definition")
    if not isinstance(definition, str):
        return ""
    return f"The input must match this {grammar.get('syntax', '')} grammar:\n{definition}"
