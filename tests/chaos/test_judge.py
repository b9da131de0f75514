"""The judge must see what is wrong, or the storm proves nothing."""

import httpx
import orjson
import pytest

from tests.chaos.client import CHAT, MESSAGES, RESPONSES, Request, Seen
from tests.chaos.judge import Outcome, judge
from tests.chaos.truth import rest_of, words_of
from tests.kit.folding import fold
from tests.kit.llm_streams import STREAMS, Answer

NUMBER = 7
APIS = {CHAT: "chat_completions", MESSAGES: "messages", RESPONSES: "responses"}
MODELS = {CHAT: "openai/gpt-5", MESSAGES: "anthropic/claude-sonnet-4-6", RESPONSES: "openai/gpt-5"}
"""As the kit's streams say."""
WORDS = words_of(NUMBER)
PATHS = pytest.mark.parametrize("path", APIS)


def stream(path: str, words: list[str]) -> bytes:
    usage = (7, 0, 0, 3, 0)
    return STREAMS[APIS[path]](Answer(thoughts=[], signature="", texts=words, calls=[], cut=0, finish="stop", usage=usage))


def verdict(
    path: str, body: bytes, *, status: int = 200, is_streamed: bool = True, is_for_agent: bool = False, **seen: object
) -> Outcome:
    request = Request(number=NUMBER, url="", path=path, body={"stream": is_streamed}, is_for_agent=is_for_agent)
    headers = httpx.Headers({"x-plano-attempts": "1", "x-plano-model": MODELS[path]})
    return judge(request, Seen(status=status, headers=headers, body=body, **seen))[0]  # type: ignore[arg-type]


@PATHS
def test_the_truth_is_whole(path: str) -> None:
    assert verdict(path, stream(path, WORDS)) is Outcome.WHOLE
    assert verdict(path, orjson.dumps(fold(APIS[path], stream(path, WORDS))), is_streamed=False) is Outcome.WHOLE


@PATHS
@pytest.mark.parametrize(
    "words",
    [WORDS[:-1], WORDS[1:], [*WORDS, WORDS[-1]], [*WORDS[:3], *WORDS[2:]], words_of(NUMBER + 1), []],
    ids=["last one missing", "first one missing", "last one twice", "one twice", "of another request", "none"],
)
@pytest.mark.parametrize("is_for_agent", [True, False])
def test_other_words_than_the_truth_are_wrong(path: str, words: list[str], is_for_agent: bool) -> None:
    said = stream(path, words)
    assert verdict(path, said, is_for_agent=is_for_agent) is Outcome.WRONG
    body = orjson.dumps(fold(APIS[path], said)) if words else b"{}"
    assert verdict(path, body, is_streamed=False, is_for_agent=is_for_agent) is Outcome.WRONG


@PATHS
def test_a_cut_must_be_visible(path: str) -> None:
    said = stream(path, WORDS)
    half = said[: said.index(WORDS[3].encode())]
    assert verdict(path, half, broken="reset") is Outcome.WRONG
    assert verdict(path, half, broken="reset", is_for_agent=True) is Outcome.CUT
    assert verdict(path, half) is Outcome.WRONG
    assert verdict(path, half, is_for_agent=True) is Outcome.CUT
    error = b'\n\ndata: {"type":"error","error":{"message":"cut off"}}\n\n'
    assert verdict(path, half.rpartition(b"\n\n")[0] + error) is Outcome.CUT
    assert verdict(path, said + error) is Outcome.WRONG
    assert verdict(path, half + error) is Outcome.WRONG, "half an event"


@PATHS
def test_a_whole_answer_of_a_model_is_never_cut(path: str) -> None:
    body = orjson.dumps(fold(APIS[path], stream(path, WORDS)))
    for end in (len(body), -5):
        assert verdict(path, body[:end], is_streamed=False, broken="reset") is Outcome.WRONG
        assert verdict(path, body[:end], is_streamed=False, broken="reset", is_for_agent=True) is Outcome.CUT


def test_a_beginning_that_is_the_truth_is_gone_on_with() -> None:
    truth = "".join(WORDS)
    for length in (1, 10, len(truth) - 1):
        assert "".join(rest_of(NUMBER, truth[:length])) == truth[length:]
    assert rest_of(NUMBER, "something else") == WORDS


@PATHS
def test_the_model_must_be_the_one_that_is_named(path: str) -> None:
    said = stream(path, WORDS).replace(b"gpt-5", b"gpt-4").replace(b"claude-sonnet-4-6", b"claude")
    assert verdict(path, said) is Outcome.WRONG
    assert verdict(path, said, is_for_agent=True) is Outcome.WHOLE


@PATHS
def test_errors_must_be_clear(path: str) -> None:
    error = b'{"type":"error","error":{"message":"no","type":"api_error"}}'
    assert verdict(path, error, status=503) is Outcome.CLEAR_ERROR
    assert verdict(path, error, status=404) is Outcome.WRONG
    assert verdict(path, error, status=503, broken="reset") is Outcome.WRONG
    assert verdict(path, b"upstream connect error", status=503) is Outcome.WRONG
    assert verdict(path, b"", status=0, broken="reset") is Outcome.WRONG
    assert verdict(path, error, is_streamed=False) is Outcome.WRONG


def test_waiting_too_long_is_a_hang() -> None:
    assert verdict(CHAT, stream(CHAT, WORDS), hung=True) is Outcome.HANG
