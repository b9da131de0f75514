"""Our end against the `h2` package: requests in, answers out, windows, settings, draining."""

import pytest
from h2.settings import SettingCodes

from ext_proc.grpc_server.http2 import codes, frames
from ext_proc.grpc_server.http2.codes import ErrorCode, Setting
from ext_proc.grpc_server.http2.connection import Connection
from ext_proc.grpc_server.http2.events import DataReceived, DataSent, LastStreamKnown, RequestReceived, StreamReset
from ext_proc.grpc_server.http2.header_blocks import encode_block
from ext_proc.grpc_server.http2.limits import Limits
from tests.kit.http2_peer import GRPC_HEADERS, Peer, begun, data_of, frames_of, headers_frame

OK = encode_block(((":status", "200"),))
DONE = encode_block((("grpc-status", "0"),))


@pytest.fixture
def peer() -> Peer:
    return Peer(Connection())


def test_a_request_and_its_answer(peer: Peer) -> None:
    stream = peer.begin()
    peer.h2.send_data(stream, b"question", end_stream=True)
    assert peer.exchange() == [
        RequestReceived(stream, dict(GRPC_HEADERS), ends_stream=False),
        DataReceived(stream, b"question", ends_stream=True),
    ]
    peer.connection.begin(stream, OK)
    assert peer.connection.send(stream, b"answer")
    peer.connection.end(stream, DONE)
    peer.exchange()
    answer = peer.answers[stream]
    assert (answer.headers, answer.body) == ([(b":status", b"200")], b"answer")
    assert (answer.trailers, answer.is_over, answer.reset) == ([(b"grpc-status", b"0")], True, None)
    assert peer.connection.streams == 0


def test_an_answer_that_ends_first_asks_for_no_more_of_the_request(peer: Peer) -> None:
    stream = peer.begin()
    peer.exchange()
    peer.connection.begin(stream, OK)
    peer.connection.end(stream, DONE)
    peer.exchange()
    assert peer.answers[stream].is_over
    assert peer.answers[stream].reset == ErrorCode.NO_ERROR
    assert peer.connection.streams == 0


def test_a_request_ends_by_its_headers_or_by_trailers(peer: Peer) -> None:
    short, long = peer.begin(ends=True), peer.begin()
    peer.h2.send_headers(long, [("x-trailer", "1")], end_stream=True)
    events = peer.exchange()
    assert RequestReceived(short, dict(GRPC_HEADERS), ends_stream=True) in events
    assert events[-1] == DataReceived(long, b"", ends_stream=True)


def test_padding_is_no_data(peer: Peer) -> None:
    stream = peer.begin()
    peer.h2.send_data(stream, b"data", pad_length=100)
    assert peer.exchange()[-1] == DataReceived(stream, b"data", ends_stream=False)


def test_data_waits_for_the_windows_and_the_end_for_the_data(peer: Peer) -> None:
    stream = peer.begin(ends=True)
    peer.exchange()
    peer.acknowledges = False
    body = bytes(range(256)) * 1000
    peer.connection.begin(stream, OK)
    assert not peer.connection.send(stream, body[:200_000])
    peer.connection.send(stream, body[200_000:])
    peer.connection.end(stream, DONE)
    peer.exchange()
    assert peer.answers[stream].body == body[:65_535]
    assert not peer.answers[stream].is_over
    for _ in range(3):
        peer.h2.increment_flow_control_window(70_000)
        peer.h2.increment_flow_control_window(70_000, stream)
        peer.exchange()
    assert peer.answers[stream].body == body
    assert peer.answers[stream].is_over
    assert peer.connection.streams == 0


def test_who_waited_is_told(peer: Peer) -> None:
    stream = peer.begin()
    peer.exchange()
    peer.connection.begin(stream, OK)
    assert not peer.connection.send(stream, b"x" * 70_000)
    assert peer.exchange() == [DataSent(stream)]
    assert peer.answers[stream].body == b"x" * 70_000


def test_streams_share_the_connections_window_by_turns(peer: Peer) -> None:
    streams = [peer.begin(ends=True) for _ in range(3)]
    peer.exchange()
    peer.acknowledges = False
    for stream in streams:
        peer.connection.begin(stream, OK)
        peer.connection.send(stream, b"x" * 200_000)
    peer.exchange()
    for stream in streams:
        peer.h2.increment_flow_control_window(200_000, stream)
    peer.exchange()
    peer.h2.increment_flow_control_window(90_000)
    before = {stream: len(peer.answers[stream].body) for stream in streams}
    peer.exchange()
    assert all(len(peer.answers[stream].body) > before[stream] for stream in streams)


def test_the_peers_settings_hold_for_streams_that_are_open() -> None:
    connection = begun(1)
    assert connection.send(1, b"x" * 60_000)
    assert len(data_of(connection)) == 60_000
    # The stream's window is negative now, and must open by more than what it lacks.
    connection.receive(frames.settings({Setting.INITIAL_WINDOW_SIZE: 10}))
    assert not connection.send(1, b"y" * 5)
    assert data_of(connection) == b""
    connection.receive(frames.window_update(1, 59_990))
    assert data_of(connection) == b""
    assert connection.receive(frames.settings({Setting.INITIAL_WINDOW_SIZE: 14})) == []
    # Peers such as gRPC's own client hold us to their old window until we have acknowledged the new one.
    acknowledgement, data = frames_of(connection.take())
    assert acknowledgement[:2] == (codes.SETTINGS, codes.ACK)
    assert data[3] == b"y" * 4
    assert connection.receive(frames.window_update(1, 1)) == [DataSent(1)]
    assert data_of(connection) == b"y"


def test_frames_are_as_large_as_the_peer_takes_them(peer: Peer) -> None:
    peer.h2.update_settings({SettingCodes.INITIAL_WINDOW_SIZE: 1 << 20, SettingCodes.MAX_FRAME_SIZE: 50_000})
    peer.h2.increment_flow_control_window(1 << 20)
    stream = peer.begin(ends=True)
    peer.exchange()
    peer.connection.send(stream, b"x" * 120_000)
    sizes = [len(payload) for kind, _, _, payload in frames_of(peer.connection.take()) if kind == codes.DATA]
    assert sizes == [50_000, 50_000, 20_000]


def test_more_may_come_once_something_is_consumed() -> None:
    peer = Peer(Connection(Limits(stream_window_bytes=1000, connection_window_bytes=1 << 20)))
    stream = peer.begin()
    peer.exchange()
    peer.h2.send_data(stream, b"x" * 1000)
    peer.exchange()
    assert peer.h2.local_flow_control_window(stream) == 0
    peer.connection.consumed(stream, 499)
    peer.exchange()
    assert peer.h2.local_flow_control_window(stream) == 0
    peer.connection.consumed(stream, 1)
    peer.exchange()
    assert peer.h2.local_flow_control_window(stream) == 500


def test_the_connections_window_opens_by_itself() -> None:
    peer = Peer(Connection(Limits(connection_window_bytes=1 << 17)))
    peer.exchange()
    for _ in range(20):
        stream = peer.begin()
        peer.h2.send_data(stream, b"x" * 16_000)
        peer.exchange()


def test_either_end_can_give_a_stream_up(peer: Peer) -> None:
    theirs, ours = peer.begin(), peer.begin()
    peer.exchange()
    peer.h2.reset_stream(theirs, ErrorCode.CANCEL)
    assert peer.exchange() == [StreamReset(theirs, ErrorCode.CANCEL)]
    peer.connection.reset(ours, ErrorCode.CANCEL)
    peer.exchange()
    assert peer.answers[ours].reset == ErrorCode.CANCEL
    for stream in (theirs, ours):
        peer.connection.begin(stream, OK)
        assert peer.connection.send(stream, b"late")
        peer.connection.end(stream, DONE)
        peer.connection.consumed(stream, 1 << 25)
    assert peer.connection.take() == b""


def test_a_stream_too_many_is_refused() -> None:
    peer = Peer(Connection(Limits(max_streams=2)))
    streams = [peer.begin() for _ in range(3)]
    peer.exchange()
    assert [peer.answers[stream].reset for stream in streams] == [None, None, ErrorCode.REFUSED_STREAM]
    peer.connection.reset(streams[0], ErrorCode.CANCEL)
    assert isinstance(peer.exchange(), list)
    assert isinstance([*_begun(peer)][-1], RequestReceived)


def _begun(peer: Peer) -> list[object]:
    peer.begin()
    return list(peer.exchange())


def test_pings_are_answered(peer: Peer) -> None:
    peer.h2.ping(b"01234567")
    peer.exchange()
    assert not peer.connection.is_over


def test_draining_serves_what_was_on_its_way_and_nothing_after(peer: Peer) -> None:
    before = peer.begin()
    peer.exchange()
    peer.connection.drain()
    meanwhile = peer.begin()  # the peer has not read the GOAWAY yet
    data = peer.h2.data_to_send()
    assert peer.connection.receive(data) == [RequestReceived(meanwhile, dict(GRPC_HEADERS), ends_stream=False)]
    # h2 ends a connection by the first GOAWAY, so it cannot play the rest.
    sent = [frame for frame in frames_of(peer.connection.take()) if frame[0] in (codes.GOAWAY, codes.PING)]
    assert [kind for kind, *_ in sent] == [codes.GOAWAY, codes.PING]
    assert sent[0][3][:8] == b"\x7f\xff\xff\xff\0\0\0\0"
    pong = bytes([0, 0, 8, codes.PING, codes.ACK, 0, 0, 0, 0]) + sent[1][3]
    assert peer.connection.receive(pong) == [LastStreamKnown()]
    [(kind, _, _, payload)] = frames_of(peer.connection.take())
    assert (kind, payload[:4]) == (codes.GOAWAY, meanwhile.to_bytes(4, "big"))
    assert peer.connection.receive(headers_frame(99)) == []
    assert peer.connection.streams == 2
    peer.connection.end(before, DONE)
    peer.connection.end(meanwhile, DONE)
    assert peer.connection.streams == 0
