"""URLs as they may be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.config.check.urls import is_host, url_defect


@pytest.mark.parametrize(
    "url",
    [
        "http://localhost:10510",
        "https://api.example.com/v1",
        "http://my_service:80/",
        "http://[::1]:8000/a",
        "http://10.0.0.1",
        "http://a.",
    ],
)
def test_urls(url: str) -> None:
    assert url_defect(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "localhost:1",
        "//host",
        "http:host",
        "ws://host",
        "http://a b",
        "http://a?",
        "http://a#",
        "http://-",
        "http://é",
        "http://a..b",
    ],
)
def test_what_is_no_url(url: str) -> None:
    assert url_defect(url) is not None


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    url_defect(text)
    url_defect(f"http://{text}")
    is_host(text)


def test_a_password_is_not_repeated() -> None:
    assert "s3cret" not in str(url_defect("http://user:s3cret@host"))
    assert "s3cret" not in str(url_defect("user:s3cret@host/path"))
