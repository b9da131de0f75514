"""The shell around the state machines: what a stream of Chat Completions must say for its answer to count as complete."""

import orjson
import pytest

from ext_proc.translate.registry import translation
from ext_proc.translate.translation import Exchange, StreamTranslator
from tests.kit.folding import fold, payloads

CLIENTS = ["messages", "responses"]
DONE = b"data: [DONE]\n\n"


def chunk(text: str, finish: str | None = None, **more: object) -> bytes:
    choice = {"index": 0, "delta": {"content": text}, "finish_reason": finish, **more}
    return b"data: " + orjson.dumps({"id": "c", "model": "m", "choices": [choice]}) + b"\n\n"


def stream_for(client: str) -> StreamTranslator:
    exchange = Exchange(request={"model": "m", "input": "hi", "messages": []}, id="0" * 32, created=1)
    return translation(client, "chat_completions", exchange).stream()


def error_of(client: str, told: bytes) -> str:
    last = payloads(told)[-1]
    error = last["error"] if client == "messages" else last["response"]["error"]
    return str(error["message"]).partition(" (")[0]  # A failed response names a code of the provider there.


@pytest.mark.parametrize("client", CLIENTS)
def test_done_without_a_reason_to_finish_is_a_cut(client: str) -> None:
    stream = stream_for(client)
    told = stream.feed(chunk("It ") + DONE) + stream.finish()
    assert error_of(client, told) == "The provider's stream ended before its answer was complete."
    assert stream.failed


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("reason", ["error", "ERROR", "abort", "insufficient_system_resource", "network_error"])
def test_a_reason_to_finish_that_is_a_failure_is_an_error(client: str, reason: str) -> None:
    stream = stream_for(client)
    told = stream.feed(chunk("It ") + chunk("", reason) + DONE) + stream.finish()
    assert error_of(client, told) == "The provider broke the answer off."
    assert stream.failed


@pytest.mark.parametrize("client", CLIENTS)
def test_a_failure_is_told_in_the_providers_words(client: str) -> None:
    stream = stream_for(client)
    told = stream.feed(chunk("", "error", error={"code": 503, "message": "No GPU is left."}) + DONE) + stream.finish()
    assert error_of(client, told) == "No GPU is left."


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("empty", [b"data:\n\n", b"data: \n\n", b": alive\n\n"])
def test_an_empty_data_line_is_a_sign_of_life(client: str, empty: bytes) -> None:
    stream = stream_for(client)
    told = stream.feed(chunk("It ") + empty + chunk("rains.") + empty + chunk("", "stop") + DONE) + stream.finish()
    assert not stream.failed
    assert "It rains." in str(fold(client, told))
