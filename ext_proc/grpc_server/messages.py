"""Length-prefixed messages of gRPC."""

from dataclasses import dataclass
from struct import Struct
from typing import Final

from ext_proc.grpc_server.status import Abort, Status

_PREFIX: Final = Struct(">BL")
_NOT_COMPRESSED: Final = 0
_COMPRESSED: Final = 1


@dataclass(slots=True)
class MessageLimit:
    """The maximum length of messages, for new calls of a server."""

    max_bytes: int = 64 << 20


def frame_message(message: bytes) -> bytes:
    """Return a message with its length prefix."""
    return _PREFIX.pack(_NOT_COMPRESSED, len(message)) + message


class MessageReader:
    """Reads the messages of one call from chunks of any size. Buffers at most one incomplete message."""

    __slots__ = ("_max_bytes", "_needed", "_rest")

    def __init__(self, limit: MessageLimit = MessageLimit()) -> None:  # noqa: B008 - only read
        self._max_bytes = limit.max_bytes
        self._rest = bytearray()
        self._needed = _PREFIX.size

    @property
    def is_between_messages(self) -> bool:
        """Whether the body may end here."""
        return not self._rest

    def feed(self, data: bytes) -> list[bytes]:
        """Return the completed messages.

        Raises:
            Abort: a message is compressed, too long, or invalid.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return []
            data = bytes(self._rest)
            self._rest.clear()
        messages = []
        offset, end = 0, len(data)
        while end - offset >= _PREFIX.size:
            flag, size = _PREFIX.unpack_from(data, offset)
            if flag != _NOT_COMPRESSED:
                raise _refusal(flag)
            if size > self._max_bytes:
                raise Abort(Status.RESOURCE_EXHAUSTED, f"a message of {size} bytes; {self._max_bytes} are taken")
            after = offset + _PREFIX.size + size
            if after > end:
                self._needed = after - offset
                break
            messages.append(data[after - size : after])
            offset = after
        else:
            self._needed = _PREFIX.size
        if offset < end:
            self._rest += data[offset:]
        return messages


def _refusal(flag: int) -> Abort:
    if flag == _COMPRESSED:
        return Abort(Status.UNIMPLEMENTED, "compressed messages are not taken")
    return Abort(Status.INTERNAL, "not a message of gRPC")
