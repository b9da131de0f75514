import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.content_encoding import decoder
from ext_proc.errors import UpstreamError
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
