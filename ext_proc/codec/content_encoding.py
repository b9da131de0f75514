"""Decompresses responses chunk by chunk, from upstreams that compress although the request does not accept it.

Also decompresses requests by `deflate`, for which Envoy has no decompressor.
"""

import zlib
from typing import Final, Protocol

from ext_proc.errors import BodyTooLarge, MalformedBody, UpstreamError

MAX_RATIO: Final = 100
"""Maximum ratio of decompressed to compressed size: 400 KB of gzip can become 400 MB, answers of models grow less than 30
times. Envoy's decompressor has the same limit."""

FREE_BYTES: Final = 1 << 20
"""Always allowed, for any ratio."""

IDENTITY: Final = frozenset({"", "identity"})
_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class GrowsTooMuch(UpstreamError):
    """Decompressed, the data is more than MAX_RATIO times as large."""


class Decoder(Protocol):
    """Decodes one encoding."""

    def decode(self, data: bytes) -> bytes:
        """Return what `data` completes.

        Raises:
            UpstreamError: the data is invalid; GrowsTooMuch if there is too much of it.
        """
        ...


class Plain:
    """Decoder of bodies that are not compressed."""

    def decode(self, data: bytes) -> bytes:
        """Return the data."""
        return data


class Inflating:
    """Decoder of gzip, of any number of members, and deflate."""

    def __init__(self, encoding: str) -> None:
        self._window = _WINDOWS[encoding]
        self._zlib = zlib.decompressobj(self._window)
        self._room = FREE_BYTES
        """Maximum size of the output."""

    def decode(self, data: bytes) -> bytes:
        """Return what `data` completes."""
        self._room += MAX_RATIO * len(data)
        plain = self._inflate(data)
        while self._zlib.eof and self._zlib.unused_data and self._window > zlib.MAX_WBITS:
            rest = self._zlib.unused_data
            self._zlib = zlib.decompressobj(self._window)
            plain += self._inflate(rest)
        return plain

    def _inflate(self, data: bytes) -> bytes:
        try:
            plain = self._zlib.decompress(data, self._room + 1)
        except zlib.error as error:
            message = "The provider's answer could not be decompressed."
            raise UpstreamError(message, code="bad_upstream_answer", detail=str(error)) from None
        self._room -= len(plain)
        if self._room < 0:
            raise GrowsTooMuch("The provider's answer is too large.", code="bad_upstream_answer", detail="decompressed")
        return plain


def decoder(encoding: str) -> Decoder | None:
    """Return a decoder for a `content-encoding`; None if it is not supported."""
    known = encoding.strip().lower()
    if known in IDENTITY:
        return Plain()
    return Inflating(known) if known in _WINDOWS else None


def inflate_request(body: bytes, *, max_bytes: int) -> bytes:
    """Decode `deflate`, with or without zlib's header: clients differ.

    Raises:
        MalformedBody: the body is invalid or incomplete.
        BodyTooLarge: the result exceeds `max_bytes`.
    """
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        inflating = zlib.decompressobj(window)
        try:
            plain = inflating.decompress(body, max_bytes + 1)
        except zlib.error:
            continue
        if len(plain) > max_bytes:
            raise BodyTooLarge("The request body is too large.")
        if inflating.eof:
            return plain
    raise MalformedBody("The request body is not what its content-encoding says.", code="invalid_content_encoding")
