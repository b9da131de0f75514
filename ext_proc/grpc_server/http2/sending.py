"""Output: frames in order, and data within the peer's windows (RFC 9113, 5.2)."""

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import ConnectionFault, ErrorCode, Setting, StreamFault
from ext_proc.grpc_server.http2.streams import Stream


class Sender:
    """The sending half of a connection, with the peer's settings."""

    def __init__(self) -> None:
        self._output: list[bytes | memoryview] = []
        self._window = codes.DEFAULT_WINDOW
        self._initial_window = codes.DEFAULT_WINDOW
        self._max_frame = codes.MIN_FRAME_BYTES
        self._waiting: dict[int, Stream] = {}
        """Streams with data that wait for a window, in round-robin order."""

    def take(self) -> bytes:
        """Return and clear the pending output."""
        output, self._output = self._output, []
        return output[0] if len(output) == 1 and isinstance(output[0], bytes) else b"".join(output)

    def new_stream(self, stream_id: int, receive_window: int) -> Stream:
        """Begin a stream, with the window that the peer's settings give it."""
        return Stream(stream_id, self._initial_window, receive_window)

    def forget(self, stream: Stream) -> None:
        """Drop the pending data of a closed stream."""
        self._waiting.pop(stream.id, None)

    def frame(self, frame: bytes) -> None:
        """Send a frame that is not flow-controlled."""
        self._output.append(frame)

    def data(self, stream: Stream, data: bytes) -> None:
        """Send data as the windows allow; the rest waits."""
        size = len(data)
        if not stream.unsent and size <= self._window and size <= stream.send_window and size <= self._max_frame:
            self._window -= size
            stream.send_window -= size
            self._output += (frames.pack_head(size << 8, 0, stream.id), data)  # DATA is type 0
            return
        stream.unsent.append(memoryview(data))
        self._waiting[stream.id] = stream
        self._send_waiting()

    def last(self, stream: Stream, block: bytes) -> None:
        """End a stream by a header block, or without one, after all of its data; then `is_half_closed_local` is set."""
        stream.last_block = block
        if not stream.unsent:
            self._finish(stream)

    def open_window(self, stream: Stream | None, increment: int) -> list[Stream]:
        """Process a WINDOW_UPDATE; return the streams that need not wait any more.

        Raises:
            ConnectionFault, StreamFault: the window overflows.
        """
        if stream is None:
            self._window += increment
            if self._window > codes.MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "the connection's window is too large")
        else:
            stream.send_window += increment
            if stream.send_window > codes.MAX_WINDOW:
                raise StreamFault(stream.id, ErrorCode.FLOW_CONTROL_ERROR, "the stream's window is too large")
        return self._send_waiting() if self._waiting else []

    def apply_settings(self, payload: bytes, streams: dict[int, Stream]) -> list[Stream]:
        """Apply and acknowledge the peer's settings; return the streams that need not wait any more.

        Raises:
            ConnectionFault: a setting has an invalid value (6.5.2).
        """
        for name, value in frames.read_settings(payload):
            self._apply(name, value, streams)
        # Acknowledge before sending data in the new windows: the peer applies settings when they are acknowledged.
        self.frame(frames.frame(codes.SETTINGS, codes.ACK, 0))
        return self._send_waiting() if self._waiting else []

    def _apply(self, name: int, value: int, streams: dict[int, Stream]) -> None:
        match name:
            case Setting.ENABLE_PUSH if value > 1:
                raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "ENABLE_PUSH is neither 0 nor 1")
            case Setting.INITIAL_WINDOW_SIZE:
                self._change_windows(value, streams)
            case Setting.MAX_FRAME_SIZE:
                if not codes.MIN_FRAME_BYTES <= value <= codes.MAX_FRAME_BYTES:
                    raise ConnectionFault(ErrorCode.PROTOCOL_ERROR, "MAX_FRAME_SIZE out of range")
                self._max_frame = value
            # HEADER_TABLE_SIZE does not matter without a table; unknown settings are ignored.

    def _change_windows(self, value: int, streams: dict[int, Stream]) -> None:
        if value > codes.MAX_WINDOW:
            raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "INITIAL_WINDOW_SIZE out of range")
        change, self._initial_window = value - self._initial_window, value
        for stream in streams.values():
            # May become negative (6.9.2).
            stream.send_window += change
            if stream.send_window > codes.MAX_WINDOW:
                raise ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, "a stream's window is too large")

    def _send_waiting(self) -> list[Stream]:
        """Send what the windows allow, one frame per stream in turn; return the streams that are done."""
        through: list[Stream] = []
        able = list(self._waiting.values())
        while able and self._window > 0:
            able = [stream for stream in able if self._send_one(stream, through)]
        return through

    def _send_one(self, stream: Stream, through: list[Stream]) -> bool:
        """Send one frame of a stream; return whether it has more, and may send it."""
        size = min(self._window, stream.send_window, self._max_frame, len(stream.unsent[0]))
        if size <= 0:
            return False
        # To the end of the queue, so that no stream is always first when the connection's window opens.
        del self._waiting[stream.id]
        piece = stream.unsent[0][:size]
        self._window -= size
        stream.send_window -= size
        self._output += (frames.pack_head(size << 8 | codes.DATA, 0, stream.id), piece)
        if size == len(stream.unsent[0]):
            stream.unsent.popleft()
        else:
            stream.unsent[0] = stream.unsent[0][size:]
        if stream.unsent:
            self._waiting[stream.id] = stream
            return True
        through.append(stream)
        if stream.last_block is not None:
            self._finish(stream)
        return False

    def _finish(self, stream: Stream) -> None:
        block = stream.last_block or b""
        kind, flags = (codes.HEADERS, codes.END_HEADERS | codes.END_STREAM) if block else (codes.DATA, codes.END_STREAM)
        self._output += (frames.pack_head(len(block) << 8 | kind, flags, stream.id), block)
        stream.is_half_closed_local = True
