"""Replaces the top-level `model` of a JSON body, or removes a member, without changing any other byte.

Re-serialising would change numbers, escapes, spacing and duplicate keys, which may matter to the provider. Bodies that contain
the key once are edited after one search; otherwise a linear scan finds every such member.
"""

import re
from collections.abc import Iterator
from typing import Final

import orjson

_KEY: Final = b'"model"'
_ESCAPED_LETTER: Final = b"\\u00"
"""The beginning of escapes, the only other way to write the key."""

_STRING: Final = rb'"(?:[^"\\]++|\\.)*+"'
_PLAIN_MEMBER: Final = re.compile(rb'"model"\s*+:\s*+("[^"\\]*+")')
_MEMBER: Final = re.compile(
    rb"\s*+,?\s*+(?P<key>" + _STRING + rb")\s*+:\s*+(?P<value>(?P<bracket>[\[{])|" + _STRING + rb'|[^\s,\[\]{}"]++)', re.DOTALL
)
_NEXT_BRACKET: Final = re.compile(rb'(?:[^"\[\]{}]++|' + _STRING + rb")*+([\[\]{}])", re.DOTALL)


def replace_model(body: bytes, model: str, *, has_model: bool) -> bytes:
    """Return a body whose top-level `model` is this one.

    `body` is a valid JSON object, and `has_model` tells whether it has the member: the caller has parsed it. If it occurs
    twice, both are replaced, because upstreams differ in which of two equal keys they use.
    """
    value = orjson.dumps(model)
    if not has_model:
        return _with_member(body, value)
    pieces: list[bytes] = []
    end = 0
    for start, stop in _only_span(body) or _value_spans(body):
        pieces += body[end:start], value
        end = stop
    pieces.append(body[end:])
    return b"".join(pieces)


def _only_span(body: bytes) -> tuple[tuple[int, int]] | None:
    # The member exists, so if the key occurs once and there are no escapes, that place is the member.
    at = body.find(_KEY)
    if at < 0 or body.find(_KEY, at + 1) >= 0 or _ESCAPED_LETTER in body:
        return None
    match = _PLAIN_MEMBER.match(body, at)
    return (match.span(1),) if match else None


def remove_member(body: bytes, name: str) -> bytes:
    """Return a body without a top-level member, which may occur several times; `body` is a valid JSON object."""
    kept = [body[member.start("key") : stop] for member, stop in _members(body) if not _is_named(member["key"], name)]
    return b"{%s}" % b",".join(kept)


def _value_spans(body: bytes) -> Iterator[tuple[int, int]]:
    for member, stop in _members(body):
        if _is_model(member["key"]):
            yield member.start("value"), stop


def _members(body: bytes) -> Iterator[tuple[re.Match[bytes], int]]:
    """Yield each top-level member and the end of its value."""
    position = body.index(b"{") + 1
    while member := _MEMBER.match(body, position):
        position = _closing(body, member.end()) if member["bracket"] else member.end()
        yield member, position


def _closing(body: bytes, position: int) -> int:
    """Return the position after the closing bracket of the one before `position`."""
    depth = 1
    while depth:
        bracket = _NEXT_BRACKET.match(body, position)
        assert bracket is not None, "the body is valid JSON"
        depth += 1 if bracket[1] in b"[{" else -1
        position = bracket.end()
    return position


def _is_named(key: bytes, name: str) -> bool:
    return bool(orjson.loads(key) == name)


def _is_model(key: bytes) -> bool:
    return key == _KEY or (_ESCAPED_LETTER in key and orjson.loads(key) == "model")


def _with_member(body: bytes, value: bytes) -> bytes:
    start = body.index(b"{") + 1
    is_empty = body[start:].lstrip()[:1] == b"}"
    return b"".join((body[:start], _KEY, b":", value, b"" if is_empty else b",", body[start:]))
