"""Bytes to frames: checks the preface and the order of frames, joins header blocks, and detects floods."""

from collections.abc import Callable, Mapping
from typing import Final

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import ConnectionFault, ErrorCode, StreamFault
from ext_proc.grpc_server.http2.limits import Limits

Reader = Callable[[int, int, bytes], None]
"""Handles flags, stream and payload of a frame."""

_STREAM: Final = 2**31 - 1
"""Without the reserved bit."""


class FrameReader:
    """Calls the handler of each frame. A header block is passed as one HEADERS frame, however it was split."""

    def __init__(self, limits: Limits, readers: Mapping[int, Reader], fail_stream: Callable[[StreamFault], None]) -> None:
        self._limits = limits
        self._readers = readers
        self._fail_stream = fail_stream
        self._rest = bytearray()
        """The beginning of an incomplete frame."""
        self._needed = 0
        """Minimum size of `_rest` before parsing again: otherwise a large frame in small chunks costs quadratic time."""
        self._is_begun = False
        """Whether the preface was received."""
        self._is_settled = False
        """Whether the first SETTINGS were received."""
        self._block: bytearray | None = None
        """The incomplete header block: the next frame must be its CONTINUATION."""
        self._block_of = (0, 0)
        """Its flags and stream."""
        self._idle = 0

    def feed(self, data: bytes) -> None:
        """Process all complete frames.

        Raises:
            ConnectionFault: the peer violated the protocol.
        """
        if self._rest:
            self._rest += data
            if len(self._rest) < self._needed:
                return
            data = bytes(self._rest)
            self._rest.clear()
        read = self._read_frames(data, 0) if self._is_begun else self._read_preface(data)
        if read < len(data):
            self._rest += data[read:]

    def _read_preface(self, data: bytes) -> int:
        size = len(codes.PREFACE)
        if data[:size] != codes.PREFACE[: len(data)]:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "not HTTP/2")
        if len(data) < size:
            self._needed = size
            return 0
        self._is_begun = True
        return self._read_frames(data, size)

    def _read_frames(self, data: bytes, offset: int) -> int:
        """Process frames; return the start of the first incomplete one."""
        end = len(data)
        while end - offset >= frames.HEAD_BYTES:
            word, flags, stream_id = frames.unpack_head(data, offset)
            size = word >> 8
            if size > self._limits.max_frame_bytes:
                raise ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, f"a frame of {size} bytes")
            after = offset + frames.HEAD_BYTES + size
            if after > end:
                self._needed = after - offset
                return offset
            self._read(word & 0xFF, flags, stream_id & _STREAM, data[after - size : after])
            offset = after
        self._needed = frames.HEAD_BYTES
        return offset

    def _read(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if self._block is not None or not self._is_settled:
            self._check_order(kind, flags, stream_id)
        try:
            if kind == codes.DATA:
                if payload:
                    self._idle = 0
                else:
                    self._count_idle()
                self._readers[codes.DATA](flags, stream_id, payload)
            elif kind == codes.HEADERS:
                self._read_headers(flags, stream_id, payload)
            else:
                if kind != codes.WINDOW_UPDATE:  # a long answer may need any number of them
                    self._count_idle()
                self._read_other(kind, flags, stream_id, payload)
        except StreamFault as fault:
            self._fail_stream(fault)

    def _check_order(self, kind: int, flags: int, stream_id: int) -> None:
        if self._block is not None:
            if kind != codes.CONTINUATION or stream_id != self._block_of[1]:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a header block that does not go on")
            return
        if kind != codes.SETTINGS or flags & codes.ACK:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "a connection that does not begin with SETTINGS")
        self._is_settled = True

    def _read_headers(self, flags: int, stream_id: int, payload: bytes) -> None:
        if flags & codes.PADDED:
            payload = frames.unpad(payload)
        if flags & codes.HAS_PRIORITY:
            payload = frames.skip_priority(payload)
        if flags & codes.END_HEADERS and len(payload) <= self._limits.max_header_bytes:
            self._readers[codes.HEADERS](flags, stream_id, payload)
            return
        self._block, self._block_of = bytearray(), (flags, stream_id)
        self._add_to_block(self._block, flags, payload)

    def _read_other(self, kind: int, flags: int, stream_id: int, payload: bytes) -> None:
        if kind == codes.CONTINUATION:
            self._continue(flags, payload)
        elif kind in self._readers:
            self._readers[kind](flags, stream_id, payload)
        # Frames of unknown types are ignored (5.5).

    def _continue(self, flags: int, payload: bytes) -> None:
        if self._block is None:
            raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "CONTINUATION of no header block")
        self._add_to_block(self._block, flags, payload)

    def _add_to_block(self, block: bytearray, flags: int, payload: bytes) -> None:
        block += payload
        if len(block) > self._limits.max_header_bytes:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "a header block that is too long")
        if flags & codes.END_HEADERS:
            self._block = None
            self._readers[codes.HEADERS](*self._block_of, bytes(block))

    def _count_idle(self) -> None:
        self._idle += 1
        if self._idle > self._limits.max_idle_frames:
            raise ConnectionFault(ErrorCode.ENHANCE_YOUR_CALM, "too many frames that carry nothing")
