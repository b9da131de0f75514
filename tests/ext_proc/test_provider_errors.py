"""Providers' errors of plain routes, as Envoy tells them to a worker."""

import zlib

import orjson
import pytest

from ext_proc.server.provider_errors import ErrorProcessor
from ext_proc.translate.passthrough import MAX_ERROR_BYTES
from ext_proc.wire.common import UnexpectedMessage
from ext_proc.wire.provider_errors import ErrorBytes, ErrorHead, decode_error
from protos import ext_proc_pb2 as pb
from protos.contract.metadata import METADATA_API, METADATA_NAMESPACE


def told(body: bytes, *, api: str = "messages", status: int = 502, encoding: str = "") -> bytes | None:
    processor, head = ErrorProcessor(), ErrorHead(status, encoding, api, ends_stream=False)
    assert processor.answer(None, head) is None
    return processor.answer(head, ErrorBytes(body))


def test_an_error_is_told_in_the_clients_api() -> None:
    body = told(b"<html>", api="messages")
    assert body is not None
    assert orjson.loads(body)["error"] == {"type": "api_error", "message": "The provider answered with status 502."}


@pytest.mark.parametrize("body", [b'{"error": {"message": "m", "code": 3}}', b'{"error":{"message":""},"x":1.0}'])
def test_an_error_in_the_clients_shape_is_left_alone(body: bytes) -> None:
    assert told(body, api="chat_completions") is None


@pytest.mark.parametrize(
    ("body", "encoding", "api"), [(b"x", "br", "messages"), (b"not gzip at all", "gzip", "messages"), (b"x", "", "")]
)
def test_what_cannot_be_read_is_left_alone(body: bytes, encoding: str, api: str) -> None:
    assert told(body, encoding=encoding, api=api) is None


def test_a_compressed_error_is_read() -> None:
    body = told(zlib.compress(b"too hot"), encoding="deflate", api="chat_completions")
    assert body is not None
    assert orjson.loads(body)["error"]["message"] == "too hot"


def test_a_key_that_the_provider_repeats_is_taken_out() -> None:
    body = told(b'{"error":{"message":"Incorrect API key provided: sk-of-the-gateway-1.","x":1.0}}', api="chat_completions")
    assert body == b'{"error":{"message":"Incorrect API key provided: [redacted]","x":1.0}}'


def test_only_the_message_is_left_of_an_error_that_is_too_long() -> None:
    body = told(b'{"error":{"message":"m","x":"%b"}}' % (b"x" * MAX_ERROR_BYTES), api="chat_completions")
    assert body is not None
    assert orjson.loads(body)["error"].keys() == {"message", "type", "param", "code"}


def test_an_error_without_a_body_gets_one() -> None:
    body = ErrorProcessor().answer(None, ErrorHead(429, "", "chat_completions", ends_stream=True))
    assert body is not None
    assert orjson.loads(body)["error"]["type"] == "rate_limit_error"
    assert ErrorProcessor().answer(None, ErrorHead(429, "", "", ends_stream=True)) is None


def test_a_head_says_what_the_client_speaks() -> None:
    message = pb.ProcessingRequest()
    message.response_headers.headers.headers.add(key=":status", raw_value=b"404")
    fields = message.metadata_context.filter_metadata[METADATA_NAMESPACE].fields
    fields[METADATA_API].string_value = "responses"
    assert decode_error(message.SerializeToString()) == ErrorHead(404, "", "responses", ends_stream=False)


def test_a_message_of_another_phase_is_a_mistake() -> None:
    message = pb.ProcessingRequest()
    message.request_headers.SetInParent()
    with pytest.raises(UnexpectedMessage):
        decode_error(message.SerializeToString())
