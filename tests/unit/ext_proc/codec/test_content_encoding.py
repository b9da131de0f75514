import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.content_encoding import FREE_BYTES, MAX_RATIO, Decoder, GrowsTooMuch, decoder, inflate_request
from ext_proc.errors import BodyTooLarge, MalformedBody, UpstreamError
from tests.kit.llm_streams import chunked


@given(data=st.binary(), cuts=st.lists(st.integers(0, 999), max_size=5), encoding=st.sampled_from(["gzip", "deflate", ""]))
def test_undoes_an_encoding_in_any_chunks(data: bytes, cuts: list[int], encoding: str) -> None:
    packed = {"gzip": gzip.compress(data), "deflate": zlib.compress(data), "": data}[encoding]
    undo = decoder(f" {encoding.upper()} ")
    assert undo is not None
    assert b"".join(undo.decode(piece) for piece in chunked(packed, cuts)) == data


def test_broken_data_is_the_upstreams_fault() -> None:
    undo = decoder("gzip")
    assert undo is not None
    with pytest.raises(UpstreamError):
        undo.decode(b"not gzip")


def test_other_encodings_cannot_be_undone() -> None:
    assert decoder("br") is None


@given(members=st.lists(st.binary(max_size=20), min_size=1, max_size=4), cuts=st.lists(st.integers(0, 99), max_size=5))
def test_gzip_may_have_several_members(members: list[bytes], cuts: list[int]) -> None:
    undo = decoder("gzip")
    assert undo is not None
    packed = b"".join(map(gzip.compress, members))
    assert b"".join(undo.decode(piece) for piece in chunked(packed, cuts)) == b"".join(members)


BOMB = gzip.compress(b" " * (64 << 20), compresslevel=1)


@pytest.mark.parametrize("size", [100, 1 << 20])
def test_what_grows_too_much_is_refused_before_it_has_grown(size: int) -> None:
    undo = decoder("gzip")
    assert undo is not None
    came_out = 0

    def undo_all(of: Decoder) -> None:
        nonlocal came_out
        for start in range(0, len(BOMB), size):
            came_out += len(of.decode(BOMB[start : start + size]))

    with pytest.raises(GrowsTooMuch):
        undo_all(undo)
    assert came_out <= FREE_BYTES + MAX_RATIO * len(BOMB)


def test_what_is_repetitive_is_undone() -> None:
    events = b"".join(b'data: {"id":"chatcmpl-1","choices":[{"delta":{"content":"%d"}}]}\n\n' % n for n in range(60_000))
    undo = decoder("gzip")
    assert undo is not None
    assert undo.decode(gzip.compress(events)) == events


@given(data=st.binary(max_size=100), is_raw=st.booleans())
def test_a_request_is_undone_with_zlibs_header_or_without(data: bytes, is_raw: bool) -> None:
    packing = zlib.compressobj(wbits=-zlib.MAX_WBITS if is_raw else zlib.MAX_WBITS)
    assert inflate_request(packing.compress(data) + packing.flush(), max_bytes=100) == data


def test_a_request_that_is_too_large_is_refused() -> None:
    with pytest.raises(BodyTooLarge) as caught:
        inflate_request(zlib.compress(b" " * (64 << 20)), max_bytes=1000)
    assert caught.value.status == 413


@pytest.mark.parametrize("body", [b"", b"{}", zlib.compress(b"x" * 1000)[:-5]])
def test_a_request_that_is_something_else_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedBody):
        inflate_request(body, max_bytes=1000)
