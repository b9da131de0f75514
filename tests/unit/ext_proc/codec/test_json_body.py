from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec import json_body
from ext_proc.codec.json_body import MAX_CONTAINERS, MAX_DEPTH, MAX_VALUES, parse_object
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
        (b"[" * 1_000, f"deeper than {MAX_DEPTH} levels"),
        (b"[" * 1_000_000, f"more than {MAX_CONTAINERS:,} arrays and objects"),
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


def filled(unit: bytes, count: int) -> bytes:
    return b'{"z":[' + unit * count + b"1]}"


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (filled(b"[],", MAX_CONTAINERS), "100,000 arrays and objects"),
        (filled(b"{},", MAX_CONTAINERS), "100,000 arrays and objects"),
        (filled(b'{"role":"user","content":"x"},', MAX_CONTAINERS), "100,000 arrays and objects"),
        (filled(b"0.1,", MAX_VALUES), "400,000 values"),
        (filled(b'"ab",', MAX_VALUES), "400,000 values"),
        (filled(b'"",', 5_000_000), "400,000 values"),
        (b"{" + b",".join(b'"k%d":1' % key for key in range(MAX_VALUES + 1)) + b"}", "400,000 values"),
    ],
)
def test_refuses_what_would_take_long_to_parse(body: bytes, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orjson, "loads", lambda _data: pytest.fail("it was parsed"))
    with pytest.raises(MalformedBody, match=limit) as caught:
        parse_object(body)
    assert (caught.value.status, caught.value.code) == (400, "too_many_values")


@pytest.mark.parametrize(
    "body",
    [
        filled(b"[],", MAX_CONTAINERS - 2),
        filled(b"1,", MAX_VALUES - 2),
        orjson.dumps({"messages": [{"role": "user", "content": '{"a": [1, 2, {"b": "\\\\"}]},' * 30_000}] * 4}),
        orjson.dumps({"text": '"' * 2_000_000}),
    ],
)
def test_takes_what_is_long_for_other_reasons(body: bytes) -> None:
    assert orjson.dumps(parse_object(body)) == body


JSON = st.recursive(
    st.integers(0, 9) | st.text(alphabet='a"\\[]{},:\n\u00e9', max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(alphabet='a"\\[{,', max_size=3), inner, max_size=4),
    max_leaves=30,
)


def count(value: Any) -> tuple[int, int]:
    """Return how many arrays and objects there are, and how many commas between values."""
    if not isinstance(value, list | dict):
        return 0, 0
    counts = [count(inner) for inner in (value.values() if isinstance(value, dict) else value)]
    return 1 + sum(one for one, _ in counts), max(0, len(value) - 1) + sum(commas for _, commas in counts)


@given(st.dictionaries(st.text(), JSON, max_size=4), st.integers(0, 20), st.integers(0, 40))
def test_counts_values_and_not_what_is_in_strings(body: dict[str, Any], most_containers: int, most_values: int) -> None:
    containers, commas = count(body)
    is_taken = containers <= most_containers and containers + commas <= most_values
    limits = {"MAX_CONTAINERS": most_containers, "MAX_VALUES": most_values, "_UNCOUNTED_BYTES": 0}
    with pytest.MonkeyPatch.context() as patch:
        for name, limit in limits.items():
            patch.setattr(json_body, name, limit)
        try:
            json_body.check_values(orjson.dumps(body))
        except json_body.TooManyValues:
            assert not is_taken
        else:
            assert is_taken
