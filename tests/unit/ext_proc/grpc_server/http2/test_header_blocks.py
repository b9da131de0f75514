"""Header blocks: the `hpack` package as the other end; what is looked up is what would have been decoded."""

import hpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.grpc_server.http2.codes import ConnectionFault, ErrorCode
from ext_proc.grpc_server.http2.header_blocks import FORGET_TABLE, BlockDecoder, MalformedHeaders, encode_block

PSEUDO = ((":method", "POST"), (":scheme", "http"), (":path", "/a/b"))


def test_a_block_that_refers_to_the_table_is_decoded_once() -> None:
    encoder, decoder = hpack.Encoder(), BlockDecoder(1 << 16)
    fields = (*PSEUDO, ("x-plano-stage", "decide"))
    first, second = encoder.encode(fields), encoder.encode(fields)
    assert first != second
    assert decoder.decode(first) == dict(fields)
    known = decoder.decode(second)
    assert known == dict(fields)
    assert decoder.decode(second) is known


names = st.sampled_from(["x-a", "x-b", "x-c"])
values = st.sampled_from(["1", "2", "a longer value", "x" * 1500])
requests = st.lists(st.dictionaries(names, values), min_size=1, max_size=40)


@given(requests=requests, sizes=st.lists(st.sampled_from([0, 64, 4096]), max_size=3))
def test_blocks_mean_the_same_whatever_the_table_went_through(requests: list[dict[str, str]], sizes: list[int]) -> None:
    encoder, decoder, plain = hpack.Encoder(), BlockDecoder(1 << 16), hpack.Decoder()
    for number, more in enumerate(requests):
        if sizes and number % 7 == 6:
            encoder.header_table_size = sizes.pop()
        block = encoder.encode((*PSEUDO, *more.items()))
        assert decoder.decode(block) == {str(name): str(value) for name, value in plain.decode(block)}


@given(st.binary(max_size=60))
def test_any_bytes_are_headers_or_a_fault(block: bytes) -> None:
    try:
        headers = BlockDecoder(1 << 16).decode(block)
    except (ConnectionFault, MalformedHeaders):
        return
    assert {":method", ":scheme", ":path"} <= set(headers)


def test_a_block_that_unpacks_to_too_much_is_a_fault() -> None:
    block = hpack.Encoder().encode([*PSEUDO, ("x", "v" * 100)])
    with pytest.raises(ConnectionFault) as caught:
        BlockDecoder(200).decode(block)
    assert caught.value.code is ErrorCode.ENHANCE_YOUR_CALM


@pytest.mark.parametrize(
    "fields",
    [
        PSEUDO[:2],
        (*PSEUDO, (":path", "/again")),
        (*PSEUDO, (":status", "200")),
        (("te", "trailers"), *PSEUDO),
        (*PSEUDO, ("Upper", "x")),
        (*PSEUDO, ("connection", "close")),
        (*PSEUDO, ("", "x")),
        (*PSEUDO[:2], (":path", "")),
    ],
)
def test_headers_that_begin_no_request(fields: tuple[tuple[str, str], ...]) -> None:
    with pytest.raises(MalformedHeaders):
        BlockDecoder(1 << 16).decode(hpack.Encoder().encode(fields))


def test_repeated_headers_are_joined() -> None:
    block = hpack.Encoder().encode((*PSEUDO, ("x", "1"), ("x", "2")))
    assert BlockDecoder(1 << 16).decode(block)["x"] == "1, 2"


def test_many_different_blocks_are_not_all_kept() -> None:
    decoder = BlockDecoder(1 << 16)
    for number in range(1000):
        decoder.decode(encode_block((*PSEUDO, ("x", str(number)))))
    assert len(decoder._known) <= 256


@given(st.lists(st.tuples(names, values), max_size=4))
def test_our_blocks_need_no_table(fields: list[tuple[str, str]]) -> None:
    decoder = hpack.Decoder()
    decoder.max_allowed_table_size = 0
    block = FORGET_TABLE + encode_block(fields)
    assert [(str(name), str(value)) for name, value in decoder.decode(block)] == fields
    assert [(str(name), str(value)) for name, value in decoder.decode(encode_block(fields))] == fields
