"""Typed access to unvalidated bodies: each function returns a value of its type, or raises an error that names the field.

`where` is the path of the field for the error, such as `messages[2].content`.
"""

from collections.abc import Container, Iterable, Iterator
from typing import Any

import orjson

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody, UnsupportedFeature


def as_object(value: object, where: str) -> JsonObject:
    """Return an object."""
    if isinstance(value, dict):
        return value
    raise _wrong(where, "an object")


def as_list(value: object, where: str) -> list[Any]:
    """Return an array; null is an empty one."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    raise _wrong(where, "an array")


def as_text(value: object, where: str) -> str:
    """Return a string."""
    if isinstance(value, str):
        return value
    raise _wrong(where, "a string")


def text_in(holder: JsonObject, name: str, where: str) -> str:
    """Return a member that must be a string; its path is built only for errors."""
    value = holder.get(name)
    if isinstance(value, str):
        return value
    raise _wrong(f"{where}.{name}", "a string")


def object_in(holder: JsonObject, name: str, where: str) -> JsonObject:
    """Return a member that must be an object."""
    value = holder.get(name)
    if isinstance(value, dict):
        return value
    raise _wrong(f"{where}.{name}", "an object")


def named_in(holder: JsonObject, name: str, where: str) -> tuple[JsonObject, str]:
    """Return a member that must be an object, and its `name`."""
    value = holder.get(name)
    if not isinstance(value, dict):
        raise _wrong(f"{where}.{name}", "an object")
    said = value.get("name")
    if not isinstance(said, str):
        raise _wrong(f"{where}.{name}.name", "a string")
    return value, said


def objects(value: object, where: str) -> Iterator[tuple[JsonObject, str]]:
    """Return the objects of an array, each with its path."""
    for index, item in enumerate(value if isinstance(value, list) else as_list(value, where)):
        place = f"{where}[{index}]"
        if not isinstance(item, dict):
            raise _wrong(place, "an object")
        yield item, place


def lone_text(content: object, *, marker: str, kinds: Container[object] = ("text",)) -> str | None:
    """Return the text of content that is a string or a single text part without `marker`, as most is.

    None for other content, which must be read part by part.
    """
    if isinstance(content, str):
        return content
    if not isinstance(content, list) or len(content) != 1:
        return None
    part = content[0]
    if not isinstance(part, dict) or part.get("type") not in kinds or marker in part:
        return None
    text = part.get("text")
    return text if isinstance(text, str) else None


def parts_of(content: object, where: str) -> Iterable[tuple[JsonObject, str]]:
    """Return the parts of a message's content; a string is one text part, null and "" are none."""
    if isinstance(content, str):
        return (({"type": "text", "text": content}, where),) if content else ()
    return objects(content, where)


def kind_of(part: JsonObject, where: str) -> str:
    """Return the `type` of a part, item or tool."""
    return text_in(part, "type", where)


def dump(value: object, where: str) -> str:
    """Return JSON as a string, the form of tool arguments in OpenAI's APIs."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        raise MalformedBody(f"{where} cannot be written as JSON.", param=where) from None


class Uncarried(UnsupportedFeature):
    """The upstream's API has no place for something: at `where`, of the kind `kind`."""

    def __init__(self, where: str, api: str, *, kind: str = "", why: str = "cannot be carried") -> None:
        subject = f"{where}: `{kind}`" if kind else where
        super().__init__(f"{subject} {why} to a model that is served over {api}.", param=where)
        self._where, self._kind, self._why = where, kind, why

    def over(self, api: str) -> "Uncarried":
        """Return the same error about an upstream of another API."""
        return Uncarried(self._where, api, kind=self._kind, why=self._why)

    def at(self, where: str, api: str, kind: str) -> "Uncarried":
        """Return the same error about another place."""
        return Uncarried(where, api, kind=kind, why=self._why)


def unsupported(where: str, api: str) -> Uncarried:
    """Return the error for a field that the upstream's API lacks."""
    return Uncarried(where, api)


def unsupported_kind(holder: JsonObject, where: str, api: str) -> Uncarried:
    """Return the error for a part, an item or a format whose `type` the upstream's API does not have."""
    return Uncarried(f"{where}.type", api, kind=str(holder.get("type", "")))


def _wrong(where: str, expected: str) -> MalformedBody:
    return MalformedBody(f"{where} must be {expected}.", param=where)
