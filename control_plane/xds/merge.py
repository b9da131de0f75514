"""Merges two route tables of one listener, while requests of both configurations are active.

A table of a thousand routes takes seconds to parse, so their bytes are copied: only the messages around them are
parsed, field by field, and written again as by `encode`.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Final, NamedTuple

from control_plane.xds import api
from control_plane.xds.encode import LENGTH_DELIMITED, delimited, read_varint

_TO_MATCHER: Final = (
    (api.route.RouteConfiguration, "virtual_hosts"),
    (api.route.VirtualHost, "matcher"),
    (api.xds_matcher.Matcher, "matcher_tree"),
    (api.xds_matcher.MatcherMatcherTree, "exact_match_map"),
    (api.xds_matcher.MatcherMatcherTreeMatchMap, "map"),
)
_TO_MAP: Final = tuple(api.field_number(message, field) for message, field in _TO_MATCHER)
"""Path of field numbers from a route table to its routes."""


class _Field(NamedTuple):
    number: int
    whole: bytes
    """With tag and length."""
    content: bytes


def merge_routes(old: bytes, new: bytes) -> bytes:
    """Return the new route table with the routes that only the old one has; serialised RouteConfigurations."""
    missing = _routes(old, _TO_MAP)
    if not _routes(new, _TO_MAP):
        return old
    return _edit(new, _TO_MAP, lambda routes: {**missing, **routes})


def _routes(message: bytes, path: tuple[int, ...]) -> dict[bytes, bytes]:
    """Collect the serialised entries of the map at a path, by key."""
    if len(path) == 1:
        return {_key(field): field.whole for field in _fields(message) if field.number == path[0]}
    found: dict[bytes, bytes] = {}
    for field in _fields(message):
        if field.number == path[0]:
            found |= _routes(field.content, path[1:])
    return found


def _edit(message: bytes, path: tuple[int, ...], change: Callable[[Mapping[bytes, bytes]], Mapping[bytes, bytes]]) -> bytes:
    number, further = path[0], path[1:]
    if not further:
        rest = b"".join(field.whole for field in _fields(message) if field.number != number)
        entries = change(_routes(message, path))
        return b"".join(entries[key] for key in sorted(entries)) + rest
    return b"".join(
        delimited(number, _edit(field.content, further, change)) if field.number == number else field.whole
        for field in _fields(message)
    )


def _key(entry: _Field) -> bytes:
    return next(field.content for field in _fields(entry.content) if field.number == 1)


def _fields(message: bytes) -> Iterator[_Field]:
    """Parse a message into fields; fields that are not length-delimited have no content."""
    at = 0
    while at < len(message):
        start = at
        tag, at = read_varint(message, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == LENGTH_DELIMITED:
            length, at = read_varint(message, at)
            begin, at = at, at + length
        else:
            begin = at = _FIXED_END[wire_type](message, at)
        yield _Field(number, message[start:at], message[begin:at])


_FIXED_END: Final[Mapping[int, Callable[[bytes, int], int]]] = {
    0: lambda message, at: read_varint(message, at)[1],
    1: lambda _message, at: at + 8,
    5: lambda _message, at: at + 4,
}
"""Wire type -> end of a value without a length. https://protobuf.dev/programming-guides/encoding/"""
