"""Decodes AWS's binary event streams (`application/vnd.amazon.eventstream`): bytes in any chunks -> messages.

    total length | length of headers | CRC of these 8 bytes | headers | payload | CRC of all before
    4 bytes      | 4                 | 4                    |         |         | 4, all of them big-endian

https://docs.aws.amazon.com/transcribe/latest/dg/event-stream.html
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from struct import Struct
from typing import Final
from zlib import crc32

from ext_proc.errors import UpstreamError

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Maximum size of a message: nothing else bounds the buffer of a stream."""
MAX_HEADERS_BYTES: Final = 128 * 1024
"""AWS's own limit."""

Header = bool | int | bytes | str | datetime

_PRELUDE: Final = Struct(">III")
_CRC: Final = Struct(">I")
_MIN_BYTES: Final = _PRELUDE.size + _CRC.size
_MAX_KNOWN: Final = 32
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class EventStreamMessage:
    """One message."""

    headers: Mapping[str, Header]
    payload: bytes


class EventStreamDecoder:
    """Decodes a stream into messages; buffers an incomplete one. After an error it raises the same error again."""

    def __init__(self, *, max_message_bytes: int = MAX_MESSAGE_BYTES) -> None:
        self._max = max_message_bytes
        self._held = bytearray()
        self._known: dict[bytes, dict[str, Header]] = {}
        """Cache of parsed headers: those of events of the same kind are the same bytes."""

    def feed(self, chunk: bytes) -> Iterator[EventStreamMessage]:
        """Yield the messages that `chunk` completes.

        Raises:
            UpstreamError: the following bytes are not a message, or exceed the limit.
        """
        self._held += chunk
        start = 0
        try:
            while (message := self._message(start)) is not None:
                start += message[0]
                yield message[1]
        finally:
            del self._held[:start]

    def finish(self) -> Iterator[EventStreamMessage]:
        """Yield nothing: an incomplete message is dropped."""
        return iter(())

    def _message(self, start: int) -> tuple[int, EventStreamMessage] | None:
        """Read the message at `start`; None if it is incomplete."""
        if len(self._held) - start < _PRELUDE.size:
            return None
        total, in_headers, prelude_crc = _PRELUDE.unpack_from(self._held, start)
        if crc32(self._held[start : start + 8]) != prelude_crc:
            raise _broken("the checksum of a message's prelude is wrong")
        if not _MIN_BYTES + in_headers <= total <= self._max or in_headers > MAX_HEADERS_BYTES:
            raise _broken(f"a message of {total} bytes with {in_headers} bytes of headers")
        if len(self._held) - start < total:
            return None
        raw = bytes(self._held[start : start + total])
        if crc32(raw[: -_CRC.size]) != _CRC.unpack_from(raw, total - _CRC.size)[0]:
            raise _broken("the checksum of a message is wrong")
        end = _PRELUDE.size + in_headers
        return total, EventStreamMessage(self._headers(raw[_PRELUDE.size : end]), raw[end : -_CRC.size])

    def _headers(self, raw: bytes) -> Mapping[str, Header]:
        known = self._known.get(raw)
        if known is None:
            known = read_headers(raw)
            if len(self._known) < _MAX_KNOWN:
                self._known[raw] = known
        return known


def read_headers(raw: bytes) -> dict[str, Header]:
    """Read all headers of a message.

    Raises:
        UpstreamError: they are truncated, of an unknown type, or duplicate.
    """
    headers: dict[str, Header] = {}
    position = 0
    while position < len(raw):
        name, position = _sized(raw, position, 1)
        kind = _taken(raw, position, 1)[0]
        if kind not in _TYPES:
            raise _broken(f"a header of type {kind}")
        value, position = _TYPES[kind](raw, position + 1)
        key = _text(name)
        if key in headers:
            raise _broken("a header is there twice")
        headers[key] = value
    return headers


_Read = Callable[[bytes, int], tuple[Header, int]]


def _taken(raw: bytes, position: int, size: int) -> bytes:
    taken = raw[position : position + size]
    if len(taken) < size:
        raise _broken("a header is cut off")
    return taken


def _sized(raw: bytes, position: int, length_size: int) -> tuple[bytes, int]:
    """Read bytes that are prefixed by their length."""
    size = int.from_bytes(_taken(raw, position, length_size))
    start = position + length_size
    return _taken(raw, start, size), start + size


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _broken("a header is not UTF-8") from None


def _truth(*, value: bool) -> _Read:
    return lambda _raw, position: (value, position)


def _integer(size: int) -> _Read:
    return lambda raw, position: (int.from_bytes(_taken(raw, position, size), signed=True), position + size)


def _string(raw: bytes, position: int) -> tuple[Header, int]:
    data, end = _sized(raw, position, 2)
    return _text(data), end


def _timestamp(raw: bytes, position: int) -> tuple[Header, int]:
    milliseconds = int.from_bytes(_taken(raw, position, 8), signed=True)
    try:
        return _EPOCH + timedelta(milliseconds=milliseconds), position + 8
    except OverflowError:
        raise _broken("a header is a time that is none") from None


def _uuid(raw: bytes, position: int) -> tuple[Header, int]:
    return _taken(raw, position, 16), position + 16


_TYPES: Final[dict[int, _Read]] = {
    0: _truth(value=True),
    1: _truth(value=False),
    2: _integer(1),
    3: _integer(2),
    4: _integer(4),
    5: _integer(8),
    6: lambda raw, position: _sized(raw, position, 2),
    7: _string,
    8: _timestamp,
    9: _uuid,
}


def _broken(detail: str) -> UpstreamError:
    return UpstreamError("The provider's answer could not be understood.", code="bad_upstream_answer", detail=detail)
