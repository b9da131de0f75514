"""The rows of a conversation for signals: messages of users and assistants, tool calls, and tool results.

Instructions do not matter here. Unreadable parts are skipped: other parts of the gateway reject malformed bodies.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final, Literal

import orjson

Kind = Literal["user", "assistant", "call", "result"]

MAX_ROWS: Final = 100
"""Only so many of the last rows are read."""

MAX_TEXT: Final = 2000
"""Maximum of characters; only the beginning and the end of a longer text are read."""

_BEGINNING: Final = MAX_TEXT // 5

_TEXT_PARTS: Final = ("text", "input_text", "output_text")
_CALLS: Final = frozenset(
    {"function_call", "custom_tool_call", "local_shell_call", "shell_call", "apply_patch_call", "mcp_call"}
)
_RESULTS: Final = frozenset(f"{call}_output" for call in _CALLS)


@dataclass(frozen=True, slots=True)
class Row:
    """One message, call or result."""

    kind: Kind
    text: str
    """The text, the arguments of a call, or its result."""
    tool: str = ""
    """Name of the tool that is called."""
    step: int = 0
    """Index of the message, from the end: calls of one message were made together."""


def read_rows(api: str, body: Mapping[str, object]) -> tuple[Row, ...]:
    """Return the last rows of a request; `api` is `chat_completions`, `messages` or `responses`. Never raises."""
    if api == "responses":
        given = body.get("input")
        if isinstance(given, str):
            return (Row("user", shorten(given)),) if given.strip() else ()
        items = _items(given)
    else:
        items = _items(body.get("messages"))
    backwards = (row for step, item in enumerate(reversed(items)) for row in reversed(list(_rows(item, step))))
    return tuple(reversed(list(islice(backwards, MAX_ROWS))))


def shorten(text: str) -> str:
    """Shorten a long text to its first fifth and its end."""
    return text if len(text) <= MAX_TEXT else f"{text[:_BEGINNING]} {text[_BEGINNING - MAX_TEXT :]}"


def _rows(item: Mapping[str, object], step: int) -> Iterator[Row]:
    kind = item.get("type", "message")
    if not isinstance(kind, str):
        return
    if kind in _CALLS:
        name = item.get("name")
        yield Row("call", _argument(item.get("arguments", item.get("input", item.get("action")))), _name(name, kind), step)
    elif kind in _RESULTS:
        yield Row("result", shorten(_text(item.get("output"))), step=step)
    elif kind == "message":
        yield from _message(item, step)


def _message(item: Mapping[str, object], step: int) -> Iterator[Row]:
    role, content = item.get("role"), item.get("content")
    if role in ("tool", "function"):
        yield Row("result", shorten(_text(content)), step=step)
        return
    if role not in ("user", "assistant"):
        return
    parts = _items(content)
    for part in parts:
        if part.get("type") == "tool_result":
            yield Row("result", shorten(_text(part.get("content"))), step=step)
    text = _text(content)
    if text and not text.isspace():
        yield Row("user" if role == "user" else "assistant", shorten(text), step=step)
    for part in parts:
        if part.get("type") == "tool_use":
            yield Row("call", _argument(part.get("input")), _name(part.get("name"), "tool_use"), step)
    for call in _items(item.get("tool_calls")):
        function = call.get("function", call.get("custom"))
        if isinstance(function, Mapping):
            given = function.get("arguments", function.get("input"))
            yield Row("call", _argument(given), _name(function.get("name"), "function"), step)


def _items(given: object) -> list[Mapping[str, object]]:
    return [item for item in given if isinstance(item, Mapping)] if isinstance(given, list) else []


def _text(content: object) -> str:
    if isinstance(content, str):
        return content
    if not isinstance(content, list):
        return ""
    return "\n".join(filter(None, map(_part_text, content)))


def _part_text(part: object) -> str:
    if isinstance(part, str):
        return part
    if not isinstance(part, Mapping) or part.get("type", "text") not in _TEXT_PARTS:
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""


def _argument(given: object) -> str:
    """Write arguments in a canonical form, because models vary the order of members."""
    value = given
    if isinstance(given, str):
        try:
            value = orjson.loads(given)
        except ValueError:
            return given
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:  # an integer of more than 64 bits
        return str(value)


def _name(name: object, kind: str) -> str:
    return name if isinstance(name, str) and name else kind
