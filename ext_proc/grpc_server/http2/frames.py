"""Encoding and decoding of frames (RFC 9113, 4 and 6), without their semantics."""

from collections.abc import Iterable, Mapping
from struct import Struct
from typing import Final

from ext_proc.grpc_server.http2 import codes
from ext_proc.grpc_server.http2.codes import ConnectionFault, ErrorCode

HEAD_BYTES: Final = 9

# Length (24 bits) and type (8) in one number, then flags, then the stream's identifier.
_HEAD: Final = Struct(">LBL")
_SETTING: Final = Struct(">HL")
_NUMBER: Final = Struct(">L")
_TWO_NUMBERS: Final = Struct(">LL")

pack_head: Final = _HEAD.pack
"""(length << 8 | type, flags, stream) -> the head of a frame; `frame` is the readable way."""
unpack_head: Final = _HEAD.unpack_from
"""(bytes, offset) -> (length << 8 | type, flags, stream with its reserved bit)."""


def frame(kind: int, flags: int, stream_id: int, payload: bytes = b"") -> bytes:
    """Build one frame."""
    return pack_head(len(payload) << 8 | kind, flags, stream_id) + payload


def settings(values: Mapping[codes.Setting, int]) -> bytes:
    """Build a SETTINGS frame."""
    return frame(codes.SETTINGS, 0, 0, b"".join(_SETTING.pack(name, value) for name, value in values.items()))


def window_update(stream_id: int, increment: int) -> bytes:
    """Build a WINDOW_UPDATE frame; stream 0 is the connection."""
    return frame(codes.WINDOW_UPDATE, 0, stream_id, _NUMBER.pack(increment))


def rst_stream(stream_id: int, code: int) -> bytes:
    """Build a RST_STREAM frame."""
    return frame(codes.RST_STREAM, 0, stream_id, _NUMBER.pack(code))


def goaway(last_stream_id: int, code: int, reason: str = "") -> bytes:
    """Build a GOAWAY frame."""
    return frame(codes.GOAWAY, 0, 0, _TWO_NUMBERS.pack(last_stream_id, code) + reason.encode())


def read_number(payload: bytes, frame_name: str) -> int:
    """Read the payload of a RST_STREAM or WINDOW_UPDATE frame.

    Raises:
        ConnectionFault: it is not four bytes long.
    """
    if len(payload) != _NUMBER.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"{frame_name} of {len(payload)} bytes")
    number: int = _NUMBER.unpack(payload)[0]
    return number


def read_settings(payload: bytes) -> Iterable[tuple[int, int]]:
    """Read the payload of a SETTINGS frame.

    Raises:
        ConnectionFault: it is not a sequence of settings.
    """
    if len(payload) % _SETTING.size:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"SETTINGS of {len(payload)} bytes")
    return _SETTING.iter_unpack(payload)


def unpad(payload: bytes) -> bytes:
    """Remove the padding of a DATA or HEADERS frame with the flag PADDED.

    Raises:
        ConnectionFault: there is more padding than payload (6.1).
    """
    if not payload or payload[0] >= len(payload):
        raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "padding as long as its frame")
    return payload[1 : len(payload) - payload[0]]


def skip_priority(payload: bytes) -> bytes:
    """Remove the priority of a HEADERS frame with the flag PRIORITY, which RFC 9113 deprecates.

    Raises:
        ConnectionFault: there is none.
    """
    if len(payload) < 5:
        raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, "HEADERS without its priority")
    return payload[5:]
