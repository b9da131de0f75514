"""Whatever comes, in whatever pieces: the same events, the same answers, no exception, no stream left behind."""

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import Setting
from ext_proc.grpc_server.http2.connection import Connection
from ext_proc.grpc_server.http2.events import ConnectionFailed, DataReceived, Event, RequestReceived, StreamReset
from ext_proc.grpc_server.http2.header_blocks import encode_block
from ext_proc.grpc_server.http2.limits import Limits
from tests.kit.http2_peer import BEGINNING, GRPC_HEADERS, data_of, headers_frame

LIMITS = Limits(
    max_streams=3, stream_window_bytes=2000, connection_window_bytes=70_000, max_frame_bytes=16_384, max_idle_frames=50
)
DONE = encode_block((("grpc-status", "0"),))

stream_ids = st.sampled_from([0, 1, 2, 3, 5, 7, 9])
flags = st.integers(0, 255)
numbers = st.one_of(st.integers(0, 3000), st.sampled_from([2**31 - 1, 2**31, 2**32 - 1]))
sound = st.one_of(
    st.builds(headers_frame, stream_ids, st.sampled_from([codes.END_HEADERS, codes.END_HEADERS | codes.END_STREAM])),
    st.builds(frames.frame, st.just(codes.DATA), st.sampled_from([0, 1, 8]), stream_ids, st.binary(max_size=1500)),
    st.builds(frames.window_update, stream_ids, numbers),
    st.builds(frames.rst_stream, stream_ids, numbers),
    st.builds(frames.settings, st.dictionaries(st.sampled_from(list(Setting)), numbers, max_size=2)),
    st.builds(frames.frame, st.just(codes.PING), st.sampled_from([0, 1]), st.just(0), st.binary(min_size=8, max_size=8)),
)
odd = st.builds(frames.frame, st.integers(0, 12), flags, stream_ids, st.binary(max_size=40))
traffic = st.lists(st.one_of(sound, sound, sound, odd, st.binary(max_size=20)), max_size=30).map(b"".join)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(data) + 1) for place in places), len(data)]
    return [data[begin:end] for begin, end in pairwise(edges)]


class Served:
    """A connection whose requests are answered: what each stream was last heard of is kept."""

    def __init__(self) -> None:
        self.connection = Connection(LIMITS)
        self.events: list[Event] = []
        self.output = b""
        self.open: set[int] = set()

    def feed(self, data: bytes) -> None:
        for event in self.connection.receive(data):
            self.events.append(event)
            self._react(event)
        self.output += self.connection.take()

    def _react(self, event: Event) -> None:
        match event:
            case RequestReceived(stream_id):
                assert stream_id not in self.open
                self.open.add(stream_id)
            case DataReceived(stream_id, data, ends):
                assert stream_id in self.open
                self.connection.consumed(stream_id, len(data))
                self.connection.send(stream_id, data)
                if ends:
                    self.open.discard(stream_id)
                    self.connection.end(stream_id, DONE)
            case StreamReset(stream_id):
                self.open.discard(stream_id)
            case ConnectionFailed():
                self.open.clear()
            case _:
                pass


@given(data=traffic, places=st.lists(st.integers(0, 1 << 16), max_size=20))
def test_pieces_make_no_difference(data: bytes, places: list[int]) -> None:
    whole, pieces = Connection(LIMITS), Connection(LIMITS)
    expected = whole.receive(BEGINNING + data)
    assert [event for piece in cut(BEGINNING + data, places) for event in pieces.receive(piece)] == expected
    assert pieces.take() == whole.take()
    assert pieces.is_over == whole.is_over


@given(data=traffic)
def test_any_traffic_is_served_or_refused(data: bytes) -> None:
    served = Served()
    served.feed(BEGINNING)
    served.feed(data)
    assert len(served.open) <= LIMITS.max_streams
    # Whoever gives up what is open leaves nothing behind.
    for stream_id in served.open:
        served.connection.reset(stream_id, 0)
    waiting: Any = served.connection
    if not served.connection.is_over:
        served.feed(b"".join(frames.rst_stream(stream_id, 0) for stream_id in list(waiting._streams)))
    assert served.connection.streams == 0
    assert not waiting._sender._waiting


@given(st.binary(max_size=200))
def test_any_bytes_get_an_answer(data: bytes) -> None:
    served = Served()
    served.feed(data)
    assert served.output


@given(body=st.binary(min_size=1, max_size=5000), windows=st.lists(st.integers(1, 700), min_size=1, max_size=30))
def test_what_is_sent_arrives_whole_and_never_beyond_a_window(body: bytes, windows: list[int]) -> None:
    connection = Connection()
    connection.receive(BEGINNING + frames.settings({Setting.INITIAL_WINDOW_SIZE: 0}) + headers_frame(1))
    connection.take()
    connection.send(1, body)
    connection.end(1, DONE)
    got, allowed = b"", 0
    while len(got) < len(body):
        for window in windows:
            allowed += window
            connection.receive(frames.window_update(1, window))
            got += data_of(connection)
            assert len(got) == min(allowed, len(body))
    assert got == body
    assert connection.streams == 0


def test_the_headers_that_these_tests_send_are_sound() -> None:
    [event] = Connection().receive(BEGINNING + headers_frame(1))
    assert event == RequestReceived(1, dict(GRPC_HEADERS), ends_stream=False)
