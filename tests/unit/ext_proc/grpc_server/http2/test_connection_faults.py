"""What a peer must not do, and what it is told: RFC 9113's errors, and floods."""

import pytest

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import ErrorCode, Setting
from ext_proc.grpc_server.http2.connection import Connection
from ext_proc.grpc_server.http2.events import ConnectionFailed, DataReceived, RequestReceived, StreamReset
from ext_proc.grpc_server.http2.header_blocks import encode_block
from ext_proc.grpc_server.http2.limits import Limits
from tests.kit.http2_peer import GRPC_HEADERS, begun, frames_of, headers_frame

frame = frames.frame
BLOCK = encode_block(GRPC_HEADERS)
DATA, HEADERS, CONTINUATION = codes.DATA, codes.HEADERS, codes.CONTINUATION
END = codes.END_STREAM | codes.END_HEADERS
WIDEST = frames.settings({Setting.INITIAL_WINDOW_SIZE: 2**31 - 1})


def goaway_of(output: bytes) -> int:
    """Return the code of the GOAWAY that is the last thing said."""
    kind, _, _, payload = frames_of(output)[-1]
    assert kind == codes.GOAWAY
    return int.from_bytes(payload[4:8], "big")


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (frame(DATA, 0, 0, b"x"), ErrorCode.PROTOCOL_ERROR),
        (frame(DATA, 0, 5, b"x"), ErrorCode.PROTOCOL_ERROR),
        (frame(DATA, codes.PADDED, 1, b"\x05abcd"), ErrorCode.PROTOCOL_ERROR),
        (frame(DATA, codes.PADDED, 1), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, codes.END_HEADERS, 0, BLOCK), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, codes.END_HEADERS, 2, BLOCK), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, codes.END_HEADERS, 3, b"\xff\xff\xff\xff\xff"), ErrorCode.COMPRESSION_ERROR),
        (frame(HEADERS, codes.END_HEADERS | codes.HAS_PRIORITY, 3, b"1234"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(HEADERS, 0, 3, BLOCK) + frame(DATA, 0, 1, b"x"), ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, 0, 3, BLOCK) + frame(CONTINUATION, codes.END_HEADERS, 1), ErrorCode.PROTOCOL_ERROR),
        (frame(CONTINUATION, codes.END_HEADERS, 1, BLOCK), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.PRIORITY, 0, 0, b"12345"), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.RST_STREAM, 0, 1, b"123"), ErrorCode.FRAME_SIZE_ERROR),
        (frames.rst_stream(0, 0), ErrorCode.PROTOCOL_ERROR),
        (frames.rst_stream(3, 0), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.SETTINGS, 0, 1), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.SETTINGS, 0, 0, b"12345"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(codes.SETTINGS, codes.ACK, 0, b"123456"), ErrorCode.FRAME_SIZE_ERROR),
        (frames.settings({Setting.ENABLE_PUSH: 2}), ErrorCode.PROTOCOL_ERROR),
        (frames.settings({Setting.INITIAL_WINDOW_SIZE: 2**31}), ErrorCode.FLOW_CONTROL_ERROR),
        (frames.settings({Setting.MAX_FRAME_SIZE: 16_383}), ErrorCode.PROTOCOL_ERROR),
        (frames.settings({Setting.MAX_FRAME_SIZE: 2**24}), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.PUSH_PROMISE, 0, 1, b"1234"), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.PING, 0, 1, b"12345678"), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.PING, 0, 0, b"1234567"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(codes.GOAWAY, 0, 1, b"12345678"), ErrorCode.PROTOCOL_ERROR),
        (frame(codes.GOAWAY, 0, 0, b"1234567"), ErrorCode.FRAME_SIZE_ERROR),
        (frame(codes.WINDOW_UPDATE, 0, 0, b"123"), ErrorCode.FRAME_SIZE_ERROR),
        (frames.window_update(0, 0), ErrorCode.PROTOCOL_ERROR),
        (frames.window_update(3, 1), ErrorCode.PROTOCOL_ERROR),
        (frames.window_update(0, 2**31 - 1), ErrorCode.FLOW_CONTROL_ERROR),
        (frames.window_update(1, 2**31 - 100_000) + WIDEST, ErrorCode.FLOW_CONTROL_ERROR),
        (frame(0xEE, 0, 0, b"x" * ((1 << 20) + 1)), ErrorCode.FRAME_SIZE_ERROR),
    ],
)
def test_a_broken_rule_of_the_connection_ends_it(sent: bytes, code: ErrorCode) -> None:
    connection = begun(1)
    events = connection.receive(sent + headers_frame(7))
    assert isinstance(events[-1], ConnectionFailed)
    assert events[-1].code == code
    assert goaway_of(connection.take()) == code
    assert connection.is_over
    assert connection.receive(headers_frame(9)) == []
    assert connection.streams == 0


@pytest.mark.parametrize(
    ("sent", "stream_id", "code"),
    [
        (frame(DATA, codes.END_STREAM, 1) + frame(DATA, 0, 1, b"x"), 1, ErrorCode.STREAM_CLOSED),
        (frame(DATA, codes.END_STREAM, 1) + headers_frame(1, END), 1, ErrorCode.STREAM_CLOSED),
        (headers_frame(1), 1, ErrorCode.PROTOCOL_ERROR),
        (frame(HEADERS, codes.END_HEADERS, 3, encode_block((("a", "b"),))), 3, ErrorCode.PROTOCOL_ERROR),
        (frame(codes.PRIORITY, 0, 1, b"1234"), 1, ErrorCode.FRAME_SIZE_ERROR),
        (frames.window_update(1, 0), 1, ErrorCode.PROTOCOL_ERROR),
        (frames.window_update(1, 2**31 - 1), 1, ErrorCode.FLOW_CONTROL_ERROR),
        (frame(DATA, 0, 1, b"x" * 501), 1, ErrorCode.FLOW_CONTROL_ERROR),
    ],
)
def test_a_broken_rule_of_a_stream_ends_that_stream(sent: bytes, stream_id: int, code: ErrorCode) -> None:
    connection = begun(1, limits=Limits(stream_window_bytes=500))
    events = connection.receive(sent + headers_frame(7))
    assert isinstance(events[-1], RequestReceived)
    assert (StreamReset(1, code) in events) == (stream_id == 1)
    assert frames.rst_stream(stream_id, code) in connection.take()
    assert not connection.is_over


@pytest.mark.parametrize(
    "beginning", [b"GET / HTTP/1.1\r\n\r\n", codes.PREFACE + frame(codes.PING, 0, 0, b"12345678"), b"PRI * HTTP/2.0\r\n\r\nxx"]
)
def test_what_does_not_begin_like_http2_is_refused(beginning: bytes) -> None:
    connection = Connection()
    assert isinstance(connection.receive(beginning)[-1], ConnectionFailed)
    assert goaway_of(connection.take()) == ErrorCode.PROTOCOL_ERROR


def test_what_comes_for_a_stream_that_is_over_is_dropped() -> None:
    connection = begun(1)
    connection.end(1, encode_block(((":status", "200"),)))
    connection.take()
    late = frame(DATA, 0, 1, b"x") + headers_frame(1, END) + frames.window_update(1, 1) + frames.rst_stream(1, 0)
    assert connection.receive(late) == []
    assert connection.take() == b""


def test_unknown_frames_flags_and_settings_are_ignored() -> None:
    connection = begun(1)
    sent = frame(0xEE, 0xFF, 1, b"x") + frame(codes.SETTINGS, 0, 0, b"\xab\xcd\0\0\0\1") + frame(DATA, 0xF0, 1, b"x")
    assert connection.receive(sent) == [DataReceived(1, b"x", ends_stream=False)]


def test_a_header_block_may_come_in_pieces_with_padding_and_priority() -> None:
    padded = frame(HEADERS, codes.PADDED | codes.HAS_PRIORITY, 3, b"\x02" + b"12345" + BLOCK[:9] + b"\0\0")
    pieces = frame(CONTINUATION, 0, 3, BLOCK[9:20]) + frame(CONTINUATION, codes.END_HEADERS, 3, BLOCK[20:])
    assert begun(1).receive(padded + pieces) == [RequestReceived(3, dict(GRPC_HEADERS), ends_stream=False)]


@pytest.mark.parametrize(
    "flood",
    [
        frame(codes.PING, 0, 0, b"12345678"),
        frame(codes.SETTINGS, 0, 0),
        frame(codes.PRIORITY, 0, 1, b"12345"),
        frame(DATA, 0, 1),
        frame(0xEE, 0, 0),
        frames.rst_stream(1, 0),
    ],
)
def test_frames_that_carry_nothing_are_counted(flood: bytes) -> None:
    connection = begun(1, limits=Limits(max_idle_frames=100))
    connection.receive(flood * 90)
    connection.receive(headers_frame(3) + frame(DATA, 0, 3, b"work") + flood * 90)
    assert not connection.is_over
    connection.receive(flood * 20)
    assert goaway_of(connection.take()) == ErrorCode.ENHANCE_YOUR_CALM


def test_streams_that_are_reset_before_they_say_anything_are_counted() -> None:
    connection = begun(limits=Limits(max_idle_frames=100))
    for stream_id in range(1, 301, 2):
        connection.receive(headers_frame(stream_id) + frames.rst_stream(stream_id, ErrorCode.CANCEL))
    assert goaway_of(connection.take()) == ErrorCode.ENHANCE_YOUR_CALM
    assert connection.streams == 0


@pytest.mark.parametrize("piece", [b"", b"x" * 1000])
def test_a_header_block_without_end_is_cut_off(piece: bytes) -> None:
    connection = begun(limits=Limits(max_header_bytes=5000, max_idle_frames=100))
    connection.receive(frame(HEADERS, 0, 1, BLOCK) + frame(CONTINUATION, 0, 1, piece) * 101)
    assert goaway_of(connection.take()) == ErrorCode.ENHANCE_YOUR_CALM


def test_long_answers_may_call_for_any_number_of_window_updates() -> None:
    connection = begun(1, limits=Limits(max_idle_frames=100))
    for _ in range(500):
        connection.send(1, b"x" * 1000)
        connection.receive(frames.window_update(1, 1000) + frames.window_update(0, 1000))
    assert not connection.is_over
