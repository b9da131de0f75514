"""URLs as they may be written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from control_plane.config.check.routing import redis_url_defect
from control_plane.config.check.urls import is_host, url_defect
from control_plane.ir.secret import Secret


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


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost",
        "redis://localhost:6379/0",
        "rediss://:pass%40word@sessions.example:6380/",
        "redis://user:password@10.0.0.1",
        "redis://[::1]:6379",
    ],
)
def test_urls_of_redis(url: str) -> None:
    assert redis_url_defect(Secret(url)) is None


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("http://localhost:6379", "redis:// or rediss://"),
        ("unix:///run/redis.sock", "redis:// or rediss://"),
        ("localhost:6379", "redis:// or rediss://"),
        ("redis://", "name a host"),
        ("redis://:s3cret@", "name a host"),
        ("redis://:s3cret/x@host", "port between"),
        ("redis://:s3cret@host:0", "name a host"),
        ("redis://:s3cret@host:99999", "port between"),
        ("redis://s3cret@host", "password beside its user name"),
        ("redis://:s3cret@host/3", "no database but 0"),
        ("redis://:s3cret@host?db=s3cret", "has no meaning"),
        ("redis://host#s3cret", "has no meaning"),
    ],
)
def test_what_is_no_url_of_redis(url: str, said: str) -> None:
    defect = redis_url_defect(Secret(url)) or ""
    assert said in defect
    assert "s3cret" not in defect


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    redis_url_defect(Secret(f"redis://{text}"))
    url_defect(text)
    url_defect(f"http://{text}")
    is_host(text)


def test_a_password_is_not_repeated() -> None:
    assert "s3cret" not in str(url_defect("http://user:s3cret@host"))
    assert "s3cret" not in str(url_defect("user:s3cret@host/path"))
