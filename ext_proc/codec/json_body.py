"""Parses a request body as a JSON object. Errors state what is wrong and where, but never show content.

The cost of parsing grows with the number of values, not of bytes: 50 MB of empty arrays took 17 s. Both are bounded.
"""

from typing import Any, Final

import orjson

from ext_proc.errors import MalformedBody

JsonObject = dict[str, Any]

MAX_DEPTH: Final = 238
"""Maximum nesting: no real request needs more, and later readers of the body may recurse."""

MAX_CONTAINERS: Final = 100_000
"""Maximum of arrays and objects in a body: 20,000 messages with tool calls have fewer. They take about 30 ms to parse."""

MAX_VALUES: Final = 400_000
"""Maximum of values in a body, counted as arrays, objects and commas: the largest legal embeddings batch has 300,000 tokens."""

_UNCOUNTED_BYTES: Final = 2 * MAX_CONTAINERS
"""A shorter body cannot exceed the limits: an array takes two brackets."""


class TooManyValues(orjson.JSONDecodeError):
    """JSON that would take too long to parse."""


def load_json(data: bytes) -> Any:
    """Parse JSON with at most MAX_CONTAINERS containers and MAX_VALUES values.

    Raises:
        orjson.JSONDecodeError: it is not JSON; TooManyValues if it has more.
    """
    check_values(data)
    return orjson.loads(data)


def check_values(data: bytes) -> None:
    """Count the values of possible JSON, without parsing it.

    Raises:
        TooManyValues: there are more than MAX_CONTAINERS or MAX_VALUES.
    """
    if len(data) <= _UNCOUNTED_BYTES:
        return
    containers = _containers(data)
    if containers > MAX_CONTAINERS or containers + data.count(b",") > MAX_VALUES:
        _check_outside_strings(data)


def parse_object(body: bytes) -> JsonObject:
    """Parse a request body.

    Raises:
        MalformedBody: it is empty, not UTF-8, not JSON, not an object, nested too deep, or has too many values.
    """
    refuse_many_values(body)
    value = load_object(body)
    refuse_depth(body, value)
    return value


def refuse_many_values(body: bytes) -> None:
    """Check the number of values: the first step of `parse_object`, 0.3 ms per megabyte.

    Raises:
        MalformedBody: the body has too many values.
    """
    try:
        check_values(body)
    except TooManyValues as error:
        raise MalformedBody(f"The request body has {error.msg}.", code="too_many_values") from None


def load_object(body: bytes) -> JsonObject:
    """Parse: the second step of `parse_object`, at least 1 ms per megabyte.

    Raises:
        MalformedBody: the body is empty, not UTF-8, not JSON, or not an object.
    """
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise MalformedBody(_explain(body, error), code="invalid_json") from None
    if not isinstance(value, dict):
        raise MalformedBody(f"The request body must be a JSON object, not {_kind(value)}.", code="invalid_json")
    return value


def refuse_depth(body: bytes, value: JsonObject) -> None:
    """Check the depth: the last step of `parse_object`; `value` was parsed from `body`.

    Raises:
        MalformedBody: it is nested too deep.
    """
    if is_too_deep(body, value):
        raise MalformedBody(f"The request body is nested deeper than {MAX_DEPTH} levels.", code="invalid_json")


def write_json(value: JsonObject) -> bytes:
    """Write a body.

    Raises:
        MalformedBody: it is nested too deep, because its source had JSON within strings.
    """
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        raise MalformedBody("JSON within the body is nested too deep.", code="invalid_json") from None


def is_too_deep(written: bytes, value: object) -> bool:
    """Whether JSON is nested deeper than MAX_DEPTH; `value` was parsed from `written`."""
    if _containers(written) <= MAX_DEPTH:
        return False
    # orjson reads 1,024 levels and writes 254. Letting it write is several times faster than any walk in Python, and the
    # 16 lists around the value leave room for those that wrap a body in a message of their own.
    try:
        orjson.dumps([[[[[[[[[[[[[[[[value]]]]]]]]]]]]]]]])
    except orjson.JSONEncodeError:
        return True
    return False


def _check_outside_strings(data: bytes) -> None:
    unescaped = data.replace(rb"\\", b"").replace(rb"\"", b"")
    if unescaped.count(b'"') > 4 * MAX_VALUES:  # A value and its key are two strings, of two quotes each.
        raise _too_many(MAX_VALUES, "values")
    outside = b"".join(unescaped.split(b'"')[::2])
    containers = _containers(outside)
    if containers > MAX_CONTAINERS:
        raise _too_many(MAX_CONTAINERS, "arrays and objects")
    if containers + outside.count(b",") > MAX_VALUES:
        raise _too_many(MAX_VALUES, "values")


def _containers(data: bytes) -> int:
    return data.count(b"[") + data.count(b"{")


def _too_many(limit: int, what: str) -> TooManyValues:
    return TooManyValues(f"more than {limit:,} {what}", "", 0)


def _explain(body: bytes, error: orjson.JSONDecodeError) -> str:
    if not body.strip():
        return "The request body is empty."
    try:
        text = body.decode()
    except UnicodeDecodeError as not_utf8:
        return f"The request body is not valid UTF-8 at byte {not_utf8.start}."
    # orjson may fail for hundreds of brackets in a row: yyjson's reader estimates its memory from the first bytes.
    if error.msg.startswith(("depth limit", "failed to allocate")):
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
