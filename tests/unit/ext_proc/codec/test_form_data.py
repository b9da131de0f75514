"""A form's field is found wherever it is, and nothing else is taken for it."""

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ext_proc.codec.form_data import find_field
from ext_proc.errors import MalformedBody

TYPE = "multipart/form-data; boundary=xyz"
NAMES = st.text("abcdefg-_ ", min_size=1, max_size=8).map(lambda name: f"n{name}")


def field(body: bytes, content_type: str = TYPE) -> bytes | None:
    found = find_field(body, content_type, "model", max_bytes=64)
    return None if found is None else body[slice(*found)]


def part(head: str, value: bytes) -> bytes:
    return b"--xyz\r\n" + head.encode() + b"\r\n\r\n" + value + b"\r\n"


@given(st.binary(max_size=500), st.dictionaries(NAMES, st.text(max_size=20), max_size=4), st.booleans())
def test_what_a_client_writes_is_read(recording: bytes, others: dict[str, str], first: bool) -> None:
    named = {"model": "whisper-1", **others} if first else {**others, "model": "whisper-1"}
    request = httpx.Request("POST", "http://a", data=named, files={"file": ("a.wav", recording)})
    assert field(request.read(), request.headers["content-type"]) == b"whisper-1"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_form_or_malformed(body: bytes) -> None:
    for whole in (body, b"--xyz" + body, b"--xyz\r\n" + body + b"\r\n--xyz--"):
        try:
            found = find_field(whole, TYPE, "model", max_bytes=64)
        except MalformedBody:
            continue
        assert found is None or 0 <= found[0] <= found[1] <= len(whole)


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (part("Content-Disposition: form-data; name=model", b"a") + b"--xyz--", b"a"),
        (
            b"preamble\r\n"
            + part('content-type: text/plain\r\ncontent-disposition: form-data; name="model"', b"a")
            + b"--xyz--",
            b"a",
        ),
        (part('content-disposition: form-data; name="model"', b"") + b"--xyz--", b""),
        (part('content-disposition: form-data; name="file"; filename="x"', b'name="model"') + b"--xyz--\r\n", None),
        (b"--xyz--\r\n", None),
    ],
)
def test_forms_are_read(body: bytes, value: bytes | None) -> None:
    assert field(body) == value


MODEL = 'content-disposition: form-data; name="model"'


@pytest.mark.parametrize(
    ("body", "content_type", "message"),
    [
        (part(MODEL, b"a") + part(MODEL, b"b") + b"--xyz--", TYPE, "twice"),
        (part(MODEL + '; filename="m"', b"a") + b"--xyz--", TYPE, "must be a text"),
        (part(MODEL, b"a" * 65) + b"--xyz--", TYPE, "at most 64 bytes"),
        (part(MODEL, b"a"), TYPE, "not complete"),
        (b"", TYPE, "not a form"),
        (b"{}", TYPE, "not a form"),
        (part(MODEL, b"a") + b"--xyz--", "multipart/form-data", "no boundary"),
        (part("x: y", b"a") * 201 + b"--xyz--", TYPE, "not a form"),
    ],
)
def test_other_bodies_are_malformed(body: bytes, content_type: str, message: str) -> None:
    with pytest.raises(MalformedBody, match=message):
        find_field(body, content_type, "model", max_bytes=64)
