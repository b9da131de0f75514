"""Header blocks (HPACK, RFC 7541). Decoding has state; blocks that do not change it are decoded once and then looked up.

A gRPC client like Envoy sends the same headers with every call: from the second call on its block has a few references to the
table that the first one filled. Encoding has no state: our blocks are constants that use no table.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from hpack import Decoder, Encoder, HPACKError, NeverIndexedHeaderTuple, OversizedHeaderListError

from ext_proc.grpc_server.http2.codes import ConnectionFault, ErrorCode

Headers = Mapping[str, str]
"""By name; values of a repeated one joined. Shared by all requests with the same block: must not be modified."""

_MAX_KNOWN: Final = 256
_MAX_KNOWN_BYTES: Final = 1024
"""Of one block: those of gRPC calls are a few references, while a client's headers rarely come twice."""
_REQUIRED: Final = (":method", ":scheme", ":path")
_PSEUDO: Final = frozenset((*_REQUIRED, ":authority"))
_OF_CONNECTIONS: Final = frozenset(("connection", "proxy-connection", "keep-alive", "transfer-encoding", "upgrade"))
"""Not to be used in HTTP/2 (8.2.2)."""

FORGET_TABLE: Final = b"\x20"
"""Table size update to 0, due once before our first block (RFC 7541, 4.2)."""


class MalformedHeaders(Exception):
    """The block is valid, but the request in it is not (8.1.1)."""


class BlockDecoder:
    """Decoder of one connection: every block received must be decoded, in order."""

    def __init__(self, max_header_bytes: int) -> None:
        self._decoder = Decoder(max_header_bytes)
        self._known: dict[bytes, Headers] = {}
        """Cache of decoded blocks for the current table; none of them changes it."""

    def decode(self, block: bytes) -> Headers:
        """Return the headers of a block.

        Raises:
            ConnectionFault: the block cannot be decoded, and nor could any later one.
            MalformedHeaders: these are not headers of a request.
        """
        known = self._known.get(block)
        if known is not None:
            return known
        first, size = self._state()
        fields = self._decode(block)
        now_first, now_size = self._state()
        if first is not now_first or size != now_size or len(self._known) >= _MAX_KNOWN:
            self._known.clear()
        headers = _checked(fields)
        if first is now_first and size == now_size and len(block) <= _MAX_KNOWN_BYTES:
            self._known[block] = headers
        return headers

    def skip(self, block: bytes) -> None:
        """Decode a block whose headers are not needed.

        Raises:
            ConnectionFault: as above.
        """
        try:
            self.decode(block)
        except MalformedHeaders:
            return

    def _state(self) -> tuple[Any, int]:
        # New entries come first, and each entry is a distinct object.
        table = self._decoder.header_table
        return (table.dynamic_entries[0] if table.dynamic_entries else None), table.maxsize

    def _decode(self, block: bytes) -> list[tuple[str, str]]:
        try:
            fields = self._decoder.decode(block, raw=True)
        except OversizedHeaderListError:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many headers") from None
        except HPACKError:
            raise ConnectionFault(ErrorCode.COMPRESSION_ERROR, "a header block that cannot be decoded") from None
        return [(_text(name), _text(value)) for name, value in fields]


def encode_block(fields: Iterable[tuple[str | bytes, str | bytes]]) -> bytes:
    """Return a block that neither uses nor changes the decoder's dynamic table, so it is good on any connection."""
    encoder = Encoder()
    block: bytes = encoder.encode([NeverIndexedHeaderTuple(name, value) for name, value in fields], huffman=False)
    return block


def _text(value: bytes | str) -> str:
    return value if isinstance(value, str) else value.decode("latin-1")


def _checked(fields: list[tuple[str, str]]) -> Headers:
    headers: dict[str, str] = {}
    regular = False
    for name, value in fields:
        is_pseudo = name.startswith(":")
        regular = regular or not is_pseudo
        if is_pseudo and (regular or name in headers or name not in _PSEUDO):
            raise MalformedHeaders(f"pseudo-header {name!r} out of place")
        if name in _OF_CONNECTIONS or name != name.lower() or not name:
            raise MalformedHeaders(f"header {name!r}")
        headers[name] = f"{headers[name]}, {value}" if name in headers else value
    if any(not headers.get(name) for name in _REQUIRED):
        raise MalformedHeaders("a pseudo-header is missing")
    return headers
