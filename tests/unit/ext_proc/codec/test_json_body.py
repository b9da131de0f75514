import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.json_body import MAX_DEPTH, parse_object
from ext_proc.errors import MalformedBody


def nested(levels: int) -> bytes:
    return b'{"a":' * levels + b"1" + b"}" * levels


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "The request body is empty."),
        (b" \n\t", "The request body is empty."),
        (b"{", "not valid JSON: .* at byte 1"),
        ('{"ключ": x}'.encode(), "not valid JSON: .* at byte 13"),
        (b'{"a":NaN}', "not valid JSON: .* at byte 5"),
        (b'{"a":Infinity}', "at byte 5"),
        (b'{"a":1}garbage', "at byte 7"),
        (b"\xef\xbb\xbf{}", "byte order mark .* at byte 0"),
        (b'{"a":"\xff"}', "not valid UTF-8 at byte 6"),
        (b"[1]", "must be a JSON object, not an array"),
        (b"null", "not null"),
        (b"true", "not a boolean"),
        (b"12", "not a number"),
        (b'"x"', "not a string"),
        (nested(MAX_DEPTH + 1), f"deeper than {MAX_DEPTH} levels"),
        (nested(5_000), f"deeper than {MAX_DEPTH} levels"),
        (b"[" * 1_000_000, f"deeper than {MAX_DEPTH} levels"),
    ],
)
def test_says_what_is_wrong_and_where(body: bytes, message: str) -> None:
    with pytest.raises(MalformedBody, match=message) as caught:
        parse_object(body)
    assert caught.value.status == 400


def test_accepts_what_clients_send() -> None:
    assert parse_object(b' {"a":1,"a":2, "e":"\\u00e9"}\n') == {"a": 2, "e": "é"}
    assert parse_object(nested(MAX_DEPTH))


def test_leaves_room_to_wrap_the_body() -> None:
    assert orjson.dumps({"params": {"arguments": {"body": parse_object(nested(MAX_DEPTH))}}})


SECRET = "s3cretw0rd"


@given(st.binary(max_size=40), st.binary(max_size=10))
def test_any_bytes_parse_or_are_malformed_without_showing_content(before: bytes, after: bytes) -> None:
    message = ""
    try:
        parse_object(before + SECRET.encode() + after)
    except MalformedBody as error:
        message = error.public_message
    assert SECRET not in message
