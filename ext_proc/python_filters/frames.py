"""Frames on the pipes between a worker and its process of Python filters: four bytes of length, big-endian, then JSON."""

import struct
from typing import Any, BinaryIO, Final

import orjson

_LENGTH: Final = struct.Struct(">I")
LENGTH_BYTES: Final = _LENGTH.size


def write_frame(value: Any) -> bytes:
    """Write a frame; values may be `orjson.Fragment`s."""
    data = orjson.dumps(value)
    return _LENGTH.pack(len(data)) + data


def length_of(head: bytes) -> int:
    """Return how many bytes follow the first four of a frame."""
    (length,) = _LENGTH.unpack(head)
    return int(length)


def read_frame(stream: BinaryIO) -> Any:
    """Read a frame; None at the end of the stream."""
    head = stream.read(LENGTH_BYTES)
    return orjson.loads(stream.read(length_of(head))) if len(head) == LENGTH_BYTES else None
