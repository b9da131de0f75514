"""Undoes compressed responses, piece by piece, for upstreams that compress although they were asked not to."""

import zlib
from typing import Final, Protocol

from ext_proc.errors import UpstreamError

IDENTITY: Final = frozenset({"", "identity"})
_WINDOWS: Final = {"gzip": 16 + zlib.MAX_WBITS, "x-gzip": 16 + zlib.MAX_WBITS, "deflate": zlib.MAX_WBITS}


class Decoder(Protocol):
    """Undoes one encoding."""

    def decode(self, data: bytes) -> bytes:
        """Return what `data` completes.

        Raises:
            UpstreamError: the data is broken.
        """
        ...


class Plain:
    """Decoder of bodies that are not compressed."""

    def decode(self, data: bytes) -> bytes:
        """Return the data."""
        return data


class Inflating:
    """Decoder of gzip and deflate."""

    def __init__(self, encoding: str) -> None:
        self._zlib = zlib.decompressobj(_WINDOWS[encoding])

    def decode(self, data: bytes) -> bytes:
        """Return what `data` completes."""
        try:
            return self._zlib.decompress(data)
        except zlib.error as error:
            raise UpstreamError(
                "The provider's answer could not be decompressed.", code="bad_upstream_answer", detail=str(error)
            ) from None


def decoder(encoding: str) -> Decoder | None:
    """Return a decoder for a `content-encoding`, None if it cannot be undone."""
    known = encoding.strip().lower()
    if known in IDENTITY:
        return Plain()
    return Inflating(known) if known in _WINDOWS else None
