"""The texts; which reply gets which one is tried on a real Envoy in tests/envoy/test_translation.py."""

import json
import re

import pytest

from control_plane.xds import api
from control_plane.xds.listener.local_reply import build_client_local_reply

MAPPERS = build_client_local_reply().mappers


def text(mapper: api.hcm.ResponseMapper) -> str | None:
    override = mapper.body_format_override
    if override is None or override.text_format_source is None:
        return None
    return override.text_format_source.inline_string


TEXTS = [found for mapper in MAPPERS if (found := text(mapper)) is not None]


def test_the_first_leaves_ext_procs_replies_alone() -> None:
    assert text(MAPPERS[0]) is None
    assert MAPPERS[0].body is None
    assert MAPPERS[0].status_code is None


@pytest.mark.parametrize("body", TEXTS)
def test_every_text_is_an_error_of_one_of_the_two_apis(body: str) -> None:
    value = json.loads(body)
    assert set(value) in ({"error"}, {"type", "error"})
    assert set(value["error"]) in ({"message", "type", "param", "code"}, {"type", "message"})


@pytest.mark.parametrize("body", TEXTS)
def test_no_text_uses_what_envoy_knows(body: str) -> None:
    assert not re.search(r"(?<!%)%(?!%)", body)
    assert "envoy" not in body.lower()


def headers(mapper: api.hcm.ResponseMapper) -> set[str]:
    return {option.header.key for option in mapper.headers_to_add if option.header is not None}


def test_who_asks_for_another_protocol_is_told_to_use_http() -> None:
    assert {mapper.status_code for mapper in MAPPERS if "upgrade" in headers(mapper)} == {426}


def test_only_overflow_says_when_to_come_back() -> None:
    assert {json.loads(text(mapper) or "")["error"]["type"] for mapper in MAPPERS if "retry-after" in headers(mapper)} == {
        "overloaded_error",
        "server_error",
    }
