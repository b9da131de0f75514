"""Finds a field in a multipart/form-data body (RFC 7578) without taking the body apart: files in it are never copied."""

import re
from typing import Final

from ext_proc.errors import MalformedBody

_BOUNDARY: Final = re.compile(r';\s*boundary=(?:"([^"\r\n]{1,70})"|([^\s;"]{1,70}))\s*(?:;|$)', re.IGNORECASE)
_DISPOSITION: Final = re.compile(rb"(?:^|\r\n)content-disposition:([^\r\n]*)", re.IGNORECASE)
_NAME: Final = re.compile(rb';\s*name=(?:"((?:[^"\\]|\\.)*)"|([^\s;"]+))', re.IGNORECASE)
_FILE: Final = re.compile(rb";\s*filename\*?=", re.IGNORECASE)
_MAX_PARTS: Final = 200
_MAX_HEAD_BYTES: Final = 4096


def find_field(body: bytes, content_type: str, name: str, *, max_bytes: int) -> tuple[int, int] | None:
    """Return where the value of a field begins and ends; None if there is no such field.

    Raises:
        MalformedBody: the body is no form, has very many parts, or the field twice, as a file, or longer than `max_bytes`.
    """
    wanted = name.encode()
    found: tuple[int, int] | None = None
    for start, end, head in _parts(body, _boundary(content_type)):
        disposition = _DISPOSITION.search(head)
        named = _NAME.search(disposition[1]) if disposition else None
        if disposition is None or named is None or (named[1] or named[2]) != wanted:
            continue
        if found is not None:
            raise MalformedBody(f"The form has the field `{name}` twice.", param=name)
        if _FILE.search(disposition[1]) or end - start > max_bytes:
            raise MalformedBody(f"The form's field `{name}` must be a text of at most {max_bytes} bytes.", param=name)
        found = start, end
    return found


def _boundary(content_type: str) -> bytes:
    match = _BOUNDARY.search(content_type)
    if match is None:
        raise MalformedBody("The content type of the form has no boundary.")
    return b"--" + (match[1] or match[2]).encode()


def _parts(body: bytes, delimiter: bytes) -> "list[tuple[int, int, bytes]]":
    """Return where each part's content begins and ends, and its headers."""
    parts: list[tuple[int, int, bytes]] = []
    at = 0 if body.startswith(delimiter) else body.find(b"\r\n" + delimiter) + 2
    while body.startswith(delimiter, at) and at >= 0:
        begins = at + len(delimiter)
        if body.startswith(b"--", begins):
            return parts
        head_end = body.find(b"\r\n\r\n", begins, begins + _MAX_HEAD_BYTES)
        end = body.find(b"\r\n" + delimiter, head_end + 2)
        if head_end < 0 or end < 0 or len(parts) == _MAX_PARTS:
            break
        parts.append((head_end + 4, max(end, head_end + 4), body[begins:head_end]))
        at = end + 2
    raise MalformedBody("The request body is not a form as its content type says, or is not complete.")
