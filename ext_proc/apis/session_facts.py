"""Facts that identify a conversation (instructions, tools, first question), and whether its last message is a user's.

`conversation` has validated the body already, so nothing is rejected here: unreadable parts are skipped.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from ext_proc.apis.registry import spec_of

_INSTRUCTORS: Final = frozenset({"system", "developer"})
_TEXT_PARTS: Final = frozenset({"text", "input_text", "output_text"})
_TOOL_PARTS: Final = frozenset({"tool_result", "tool_use"})

_REMINDERS: Final = re.compile(r"<(system-reminder|user-prompt-submit-hook)>.*?(?:</\1>|\Z)", re.DOTALL)
"""Text that coding agents add to a user's message; an unclosed tag extends to the end."""


def instructions_of(api: str, body: Mapping[str, object]) -> str:
    """Return the texts of system and developer messages, one a line."""
    apart = body.get(spec_of(api).instructions)
    said = (message.get("content") for message in _messages(api, body) if _word(message, "role") in _INSTRUCTORS)
    return "\n".join(text for content in (apart, *said) for text in _texts(content))


def tools_of(body: Mapping[str, object]) -> str:
    """Return the names of the offered tools, joined by commas."""
    tools = body.get("tools")
    named = (_tool(tool) for tool in tools) if isinstance(tools, list) else ()
    return ",".join(name for name in named if name)


def speaks_as_user(api: str, body: Mapping[str, object]) -> bool:
    """Whether the last message is a user's own: not tool results, and not only text that an agent has added."""
    given = body.get(spec_of(api).conversation)
    if isinstance(given, str):
        return _says_something(given)
    last = next(iter([*_messages(api, body)][-1:]), None)
    if last is None or last.get("role") != "user" or last.get("type", "message") != "message":
        return False
    content = last.get("content")
    if isinstance(content, str):
        return _says_something(content)
    parts = [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []
    own = [part for part in parts if _word(part, "type", "text") not in _TOOL_PARTS]
    return any(_word(part, "type", "text") not in _TEXT_PARTS or _says_something(_word(part, "text")) for part in own)


def _messages(api: str, body: Mapping[str, object]) -> Iterator[Mapping[str, object]]:
    """Yield messages and the other items between them."""
    listed = body.get(spec_of(api).conversation)
    if isinstance(listed, list):
        yield from (message for message in listed if isinstance(message, dict))


def _word(of: Mapping[str, object], field: str, default: str = "") -> str:
    value = of.get(field, default)
    return value if isinstance(value, str) else ""


def _texts(content: object) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    elif isinstance(content, list):
        yield from (_word(part, "text") for part in content if isinstance(part, dict))


def _tool(tool: object) -> str:
    if not isinstance(tool, dict):
        return ""
    function = tool.get("function")
    name = tool.get("name") or (function.get("name") if isinstance(function, dict) else None) or tool.get("type")
    return name if isinstance(name, str) else ""


def _says_something(text: str) -> bool:
    return bool(_REMINDERS.sub("", text).strip())
