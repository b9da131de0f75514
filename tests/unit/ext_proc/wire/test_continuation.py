"""Requests that ext_proc answers itself, and the heads of its answers."""

import pytest

from ext_proc.continuation.transaction import Head
from ext_proc.wire.continuation import decode_stream_request, encode_head

HEADERS = {":path": "/v1/messages", "x-plano-stage": "upstream", "x-plano-metadata": '{"route":"r","tokens":7}'}


def test_metadata_comes_along_and_only_texts_of_it_count() -> None:
    request = decode_stream_request(HEADERS, b"{}")
    assert (request.headers, request.metadata, request.body) == ({":path": "/v1/messages"}, {"route": "r"}, b"{}")
    assert decode_stream_request({":path": "/"}, b"").metadata == {}


def test_what_a_client_asks_of_envoy_is_asked_of_the_next_one() -> None:
    headers = {**HEADERS, "x-plano-asked-max-retries": "2"}
    assert decode_stream_request(headers, b"").headers == {":path": "/v1/messages", "x-envoy-max-retries": "2"}


@pytest.mark.parametrize("raw", ["Köln".encode(), b"K\xf6ln"], ids=["UTF-8", "latin-1"])
def test_bytes_of_headers_survive(raw: bytes) -> None:
    request = decode_stream_request({**HEADERS, "x-city": raw.decode("latin-1")}, b"")
    assert request.headers["x-city"].encode(errors="surrogateescape") == raw
    assert (b"x-city", raw) in [*encode_head(Head(200, request.headers))]


def test_an_upstream_can_neither_take_our_names_nor_command_envoy() -> None:
    theirs = {"x-plano-answer-model": "forged", "x-envoy-immediate-health-check-fail": "true", "x-plano-model": "ours"}
    assert [*encode_head(Head(503, theirs))] == [(":status", "503"), (b"x-plano-answer-model", b"ours")]
