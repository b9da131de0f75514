"""A request body as a JSON object: parsed once, with errors that say what is wrong and where, but never show content."""

from typing import Any, Final

import orjson

from ext_proc.errors import MalformedBody

JsonObject = dict[str, Any]

MAX_DEPTH: Final = 238
"""Deeper nesting is refused: no real request needs it, and whoever reads the body next may recurse."""


def parse_object(body: bytes) -> JsonObject:
    """Parse a request body.

    Raises:
        MalformedBody: it is empty, not UTF-8, not JSON, not an object, or nested too deep.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_explain(body, error), code="invalid_json") from None
    if not isinstance(value, dict):
        raise MalformedBody(f"The request body must be a JSON object, not {_kind(value)}.", code="invalid_json")
    if is_too_deep(body, value):
        raise MalformedBody(f"The request body is nested deeper than {MAX_DEPTH} levels.", code="invalid_json")
    return value


def write_json(value: JsonObject) -> bytes:
    """Write a body.

    Raises:
        MalformedBody: it is nested too deep: what it was made of holds JSON within strings.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise MalformedBody("JSON within the body is nested too deep.", code="invalid_json") from None


def is_too_deep(written: bytes, value: object) -> bool:
    """Tell if JSON is nested deeper than MAX_DEPTH; `value` is what was read from `written`."""
    if len(written) < 2 * MAX_DEPTH:
        return False  # Each level takes two brackets.
    # orjson reads 1,024 levels and writes 254. Letting it write is several times faster than any walk in Python, and the
    # 16 lists around the value leave room for those that wrap a body in a message of their own.
    try:
        orjson.dumps([[[[[[[[[[[[[[[[value]]]]]]]]]]]]]]]])
    except orjson.JSONEncodeError:
        return True
    return False


def _explain(body: bytes, error: orjson.JSONDecodeError) -> str:
    if not body.strip():
        return "The request body is empty."
    try:
        text = body.decode()
    except UnicodeDecodeError as not_utf8:
        return f"The request body is not valid UTF-8 at byte {not_utf8.start}."
    if error.msg.startswith("depth limit"):
        return f"The request body is nested deeper than {MAX_DEPTH} levels."
    offset = len(text[: error.pos].encode())
    return f"The request body is not valid JSON: {error.msg} at byte {offset}."


def _kind(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int() | float():
            return "a number"
        case str():
            return "a string"
        case _:
            return "an array"
