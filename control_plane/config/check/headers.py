"""Checks headers and keys that the gateway sends: valid names, and values of one line."""

import re
from collections.abc import Iterator
from typing import Final

from control_plane.config.check.finding import Finding
from control_plane.config.check.urls import is_host
from control_plane.config.model import ModelProvider, PlanoConfig
from control_plane.config.source.paths import Path

_NAME: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_VALUE: Final = re.compile(r"[!-~\x80-\U0010ffff](?:[ -~\t\x80-\U0010ffff]*[!-~\x80-\U0010ffff])?")
_KEY: Final = re.compile(r"[!-~]+")
_OWNED: Final = frozenset(
    {"connection", "content-length", "host", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}
)
"""Headers that belong to the connection: Envoy sets them."""


def is_header_name(text: str) -> bool:
    """Whether HTTP allows a name of a header."""
    return _NAME.fullmatch(text) is not None


def check_headers(config: PlanoConfig) -> Iterator[Finding]:
    """Find headers and keys that cannot be sent; messages never repeat their values."""
    for index, entry in enumerate(config.model_providers):
        path: Path = ("model_providers", index)
        if entry.access_key is not None and not _KEY.fullmatch(entry.access_key.reveal()):
            message = "should be visible ASCII without spaces and line breaks; look at the end of the variable's value"
            yield Finding((*path, "access_key"), "bad-key", message)
        if entry.http_host is not None and not _is_authority(entry.http_host):
            yield Finding((*path, "http_host"), "bad-host", "should be `host` or `host:port`")
        yield from _headers((*path, "headers"), entry)


def _headers(path: Path, entry: ModelProvider) -> Iterator[Finding]:
    seen: set[str] = set()
    for name, value in entry.headers.items():
        here = (*path, name)
        if not is_header_name(name):
            yield Finding(here, "bad-header", "is no header name: letters, digits and `-` are")
        elif name.lower() in _OWNED or name.lower().startswith(("x-plano-", "x-envoy-")):
            yield Finding(here, "bad-header", f"`{name}` belongs to the gateway and cannot be set")
        elif name.lower() in seen:
            yield Finding(here, "bad-header", f"`{name}` is there twice; case makes no difference")
        elif not _VALUE.fullmatch(value.reveal()):
            yield Finding(here, "bad-header", "has a value that is empty, begins or ends with a space, or has a line break")
        seen.add(name.lower())


def _is_authority(text: str) -> bool:
    host, colon, port = text.rpartition(":")
    if not colon:
        host, port = text, "80"
    is_port = port.isascii() and port.isdigit() and len(port) < 6 and 0 < int(port) < 65536
    return is_port and is_host(host.removeprefix("[").removesuffix("]"))
