from datetime import UTC, datetime
from itertools import pairwise
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.event_stream import EventStreamDecoder, EventStreamMessage, read_headers
from ext_proc.errors import UpstreamError
from tests.kit.event_stream import decode_stream, encode_message

names = st.text(st.characters(codec="utf-8"), min_size=1, max_size=8).filter(lambda name: len(name.encode()) < 256)
values = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.binary(max_size=20)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.integers(0, 2**32).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
)
messages = st.builds(EventStreamMessage, st.dictionaries(names, values, max_size=4), st.binary(max_size=60))


def written(sent: list[EventStreamMessage]) -> bytes:
    return b"".join(encode_message(message.headers, message.payload) for message in sent)


def until_broken(chunks: list[bytes]) -> tuple[list[EventStreamMessage], str]:
    """Read as far as it goes; return what was wrong, too."""
    decoder, read = EventStreamDecoder(), []
    try:
        for chunk in chunks:
            for message in decoder.feed(chunk):
                read.append(message)  # noqa: PERF402 - what came before an error counts
    except UpstreamError as error:
        return read, error.detail
    return read, ""


@given(sent=st.lists(messages, max_size=4), cuts=st.lists(st.integers(0, 600), max_size=8))
def test_what_is_sent_arrives_however_it_is_split(sent: list[EventStreamMessage], cuts: list[int]) -> None:
    data = written(sent)
    edges = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    assert decode_stream(*(data[start:end] for start, end in pairwise(edges))) == sent
    assert decode_stream(*(data[i : i + 1] for i in range(len(data)))) == sent


@given(sent=st.lists(messages, min_size=1, max_size=3), at=st.integers(0), flip=st.integers(1, 255))
def test_a_wrong_byte_is_one_clear_error_after_what_was_whole(sent: list[EventStreamMessage], at: int, flip: int) -> None:
    data = bytearray(written(sent))
    data[at % len(data)] ^= flip
    read, detail = until_broken([bytes(data)])
    assert detail
    assert read == sent[: len(read)]
    assert until_broken([bytes(data[i : i + 1]) for i in range(len(data))]) == (read, detail)


@given(noise=st.binary(min_size=12, max_size=200))
def test_noise_is_an_error_as_soon_as_it_can_be_known(noise: bytes) -> None:
    with pytest.raises(UpstreamError) as raised:
        decode_stream(noise)
    assert raised.value.code == "bad_upstream_answer"


@given(raw=st.binary(max_size=60))
def test_any_headers_are_read_or_refused(raw: bytes) -> None:
    try:
        read_headers(raw)
    except UpstreamError:
        return


def test_half_a_message_is_none_and_is_waited_for() -> None:
    data = encode_message({"a": "b"}, b"payload")
    decoder = EventStreamDecoder()
    assert list(decoder.feed(data[:-1])) == []
    assert list(decoder.finish()) == []
    assert [message.payload for message in decoder.feed(data[-1:])] == [b"payload"]


def test_an_error_comes_again() -> None:
    decoder = EventStreamDecoder()
    for chunk in (b"x" * 12, b"", b"y"):
        with pytest.raises(UpstreamError):
            list(decoder.feed(chunk))


@pytest.mark.parametrize(
    ("total", "in_headers", "detail"),
    [
        (2_000, 0, "a message of 2000 bytes with 0 bytes of headers"),
        (15, 0, "a message of 15 bytes with 0 bytes of headers"),
        (20, 5, "a message of 20 bytes with 5 bytes of headers"),
    ],
)
def test_lengths_that_cannot_be_are_not_waited_for(total: int, in_headers: int, detail: str) -> None:
    prelude = total.to_bytes(4) + in_headers.to_bytes(4)
    with pytest.raises(UpstreamError) as raised:
        list(EventStreamDecoder(max_message_bytes=1_000).feed(prelude + crc32(prelude).to_bytes(4)))
    assert raised.value.detail == detail


def test_a_header_of_each_type() -> None:
    uuid = bytes(range(16))
    raw = (
        b"\1a\0" b"\1b\1" b"\1c\2\xff" b"\1d\3\x01\x00" b"\1e\4\0\0\0\5" b"\1f\5\0\0\0\0\0\0\0\6"
        b"\1g\6\0\2hi" b"\1h\7\0\2hi" b"\1i\x08\0\0\0\0\0\0\x03\xe8"
    ) + b"\1j\x09" + uuid  # fmt: skip
    assert read_headers(raw) == {
        "a": True, "b": False, "c": -1, "d": 256, "e": 5, "f": 6, "g": b"hi", "h": "hi",
        "i": datetime(1970, 1, 1, 0, 0, 1, tzinfo=UTC), "j": uuid,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("raw", "detail"),
    [
        (b"\1a\x0a", "a header of type 10"),
        (b"\1a", "a header is cut off"),
        (b"\1a\7\0\5abc", "a header is cut off"),
        (b"\1a\0\1a\0", "a header is there twice"),
        (b"\1a\7\0\1\xff", "a header is not UTF-8"),
        (b"\1a\x08\x7f" + b"\xff" * 7, "a header is a time that is none"),
    ],
)
def test_headers_that_are_none(raw: bytes, detail: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        read_headers(raw)
    assert raised.value.detail == detail
