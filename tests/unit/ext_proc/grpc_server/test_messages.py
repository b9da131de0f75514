"""Messages survive any cut of the body, and nothing else passes for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.grpc_server.messages import MessageLimit, MessageReader, frame_message
from ext_proc.grpc_server.status import Abort, Status


@given(messages=st.lists(st.binary(max_size=40), max_size=6), size=st.integers(1, 50))
def test_any_cut_gives_the_same_messages(messages: list[bytes], size: int) -> None:
    body, reader = b"".join(map(frame_message, messages)), MessageReader()
    found = [message for begin in range(0, len(body), size) for message in reader.feed(body[begin : begin + size])]
    assert found == messages
    assert reader.is_between_messages


def test_a_part_of_a_message_is_none() -> None:
    reader = MessageReader()
    assert reader.feed(frame_message(b"whole") + b"\0\0\0\0\5hal") == [b"whole"]
    assert not reader.is_between_messages
    assert reader.feed(b"ve") == [b"halve"]


@pytest.mark.parametrize(("flag", "status"), [(1, Status.UNIMPLEMENTED), (2, Status.INTERNAL), (255, Status.INTERNAL)])
def test_compressed_messages_and_garbage_are_refused(flag: int, status: Status) -> None:
    with pytest.raises(Abort) as caught:
        MessageReader().feed(bytes([flag]) + b"\0\0\0\1x")
    assert caught.value.status is status


def test_a_message_that_is_too_long_is_refused_by_its_first_bytes() -> None:
    reader = MessageReader(MessageLimit(max_bytes=5))
    assert reader.feed(frame_message(b"12345")) == [b"12345"]
    with pytest.raises(Abort) as caught:
        reader.feed(frame_message(b"123456")[:5])
    assert caught.value.status is Status.RESOURCE_EXHAUSTED


@given(st.binary(max_size=100))
def test_any_bytes_are_messages_or_refused(data: bytes) -> None:
    try:
        MessageReader().feed(data)
    except Abort:
        return
