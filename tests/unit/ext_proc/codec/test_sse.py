import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.sse import SseDecoder, SseEvent, encode_comment, encode_event
from ext_proc.errors import UpstreamError

lines = st.sampled_from([b"data: a", b"data:b", b"data", b"event: x", b"event:y", b": note", b"id: 1", b"retry: 5", b"", b""])
streams = st.lists(st.tuples(lines, st.sampled_from([b"\n", b"\r\n", b"\r"]))).map(
    lambda pairs: b"".join(line + end for line, end in pairs)
)


def decode(*chunks: bytes) -> list[SseEvent]:
    decoder = SseDecoder()
    return [event for chunk in chunks for event in decoder.feed(chunk)] + decoder.finish()


@given(stream=streams)
def test_byte_by_byte_is_the_same_as_at_once(stream: bytes) -> None:
    assert decode(*(stream[i : i + 1] for i in range(len(stream)))) == decode(stream)


@given(noise=st.binary(max_size=200), cut=st.integers(0, 200))
def test_any_bytes_decode(noise: bytes, cut: int) -> None:
    assert decode(noise[:cut], noise[cut:]) == decode(noise)


@given(data=st.text().map(str.encode), event=st.sampled_from(["", "delta"]))
def test_what_is_encoded_is_decoded_with_line_ends_made_alike(data: bytes, event: str) -> None:
    alike = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    assert decode(encode_event(data, event)) == [SseEvent(alike, event)]


def test_the_first_space_after_the_colon_is_not_data() -> None:
    assert decode(b"data:a\n\ndata: b\n\ndata:  c\n\n") == [SseEvent(b"a"), SseEvent(b"b"), SseEvent(b" c")]


def test_data_lines_are_joined() -> None:
    assert decode(b"data: a\ndata\ndata: b\n\n") == [SseEvent(b"a\n\nb")]


def test_an_event_without_data_is_none_and_its_type_is_forgotten() -> None:
    assert decode(b"event: x\n\ndata: a\n\n") == [SseEvent(b"a")]


def test_comments_are_reported() -> None:
    assert decode(b": keep-alive\n\n:\n\n") == [SseEvent(None), SseEvent(None)]
    assert decode(encode_comment("ping")) == [SseEvent(None)]


def test_a_byte_order_mark_is_skipped_even_in_pieces() -> None:
    assert decode(b"\xef", b"\xbb", b"\xbfdata: a\n\n") == [SseEvent(b"a")]
    assert decode(b"data: \xef\xbb\xbf\n\n") == [SseEvent(b"\xef\xbb\xbf")]


def test_u2028_does_not_end_a_line() -> None:
    assert decode("data: a\u2028b\x85c\n\n".encode()) == [SseEvent("a\u2028b\x85c".encode())]


def test_a_line_end_in_two_chunks_is_one() -> None:
    assert decode(b"data: a\r", b"\n\r", b"\ndata: b\r\n\r\n") == [SseEvent(b"a"), SseEvent(b"b")]


def test_the_last_empty_line_may_be_missing() -> None:
    assert decode(b"data: a") == [SseEvent(b"a")]
    assert decode(b"data: a\n") == [SseEvent(b"a")]


@pytest.mark.parametrize("piece", [b"x", b"\ndata: x"])
def test_an_event_that_never_ends_is_refused(piece: bytes) -> None:
    decoder = SseDecoder(max_event_bytes=100)
    decoder.feed(b"data: " + piece * 10)
    with pytest.raises(UpstreamError):
        decoder.feed(piece * 91)


def test_the_limit_is_for_one_event_not_for_the_stream() -> None:
    decoder = SseDecoder(max_event_bytes=100)
    for _ in range(100):
        assert decoder.feed(b"data: " + b"x" * 60 + b"\n\n") == [SseEvent(b"x" * 60)]
