"""What we write is what the official SDKs read: their types validate it, their accumulators fold it."""

from pathlib import Path
from typing import Any

import httpx2
import openai
import orjson
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.responses import Response, ResponseStreamEvent
from pydantic import TypeAdapter

from tests.kit.folding import fold, payloads
from tests.kit.golden import GOLDEN_ROOT

ROOT = GOLDEN_ROOT / "translate"
BROKEN = ("error", "cut_off", "failed", "nonsense")
NOT_FOLDED = ("custom", "truncated", "refusal")
"""Chat streams that OpenAI's accumulator raises for: it knows functions only, and answers that are complete."""
BODIES: dict[str, TypeAdapter[Any]] = {
    "messages": TypeAdapter(Message),
    "chat_completions": TypeAdapter(ChatCompletion),
    "responses": TypeAdapter(Response),
}
EVENTS: dict[str, TypeAdapter[Any]] = {
    "messages": TypeAdapter(RawMessageStreamEvent),
    "chat_completions": TypeAdapter(ChatCompletionChunk),
    "responses": TypeAdapter(ResponseStreamEvent),
}


def of(client: str, paths: list[Any], *, without: tuple[str, ...] = (), only: tuple[str, ...] = ("",)) -> list[Any]:
    """Choose the goldens of one client API by how their names begin."""
    chosen = (p for p in paths if client_of(p.values[0]) == client)
    return [p for p in chosen if p.values[0].name.startswith(only) and not p.values[0].name.startswith(without or ("\0",))]


def goldens(aspect: str, extension: str, *, whole: bool = False) -> list[Any]:
    paths = sorted((ROOT / aspect).glob(f"*/*.client.golden.{extension}"))
    chosen = (path for path in paths if not (whole and path.name.startswith(BROKEN)))
    return [pytest.param(path, id=f"{path.parent.name}/{path.name.split('.')[0]}") for path in chosen]


def client_of(path: Path) -> str:
    return path.parent.name.split("_over_")[0]


@pytest.mark.parametrize("path", goldens("responses", "json"))
def test_answers_are_valid(path: Path) -> None:
    BODIES[client_of(path)].validate_python(orjson.loads(path.read_bytes()))


@pytest.mark.parametrize("path", goldens("streams", "sse", whole=True))
def test_events_are_valid_and_fold_into_a_valid_answer(path: Path) -> None:
    client = client_of(path)
    for event in payloads(path.read_bytes()):
        if event.get("type") != "ping" and "custom" not in str(event):
            EVENTS[client].validate_python(event)
    if not path.name.startswith("custom"):
        BODIES[client].validate_python(fold(client, path.read_bytes()))


@pytest.mark.parametrize("path", of("messages", goldens("streams", "sse", whole=True)))
def test_anthropics_accumulator_agrees(path: Path) -> None:
    snapshot: Any = None
    buffers: dict[int, bytes] = {}
    for event in payloads(path.read_bytes()):
        if event["type"] != "ping":
            parsed = EVENTS["messages"].validate_python(event)
            snapshot = accumulate_event(event=parsed, current_snapshot=snapshot, json_bufs=buffers)
    folded = fold("messages", path.read_bytes())
    said = [{name: block.get(name) for name in ("type", "text", "thinking", "input")} for block in folded["content"]]
    theirs = [
        {name: getattr(block, name, None) for name in ("type", "text", "thinking", "input")} for block in snapshot.content
    ]
    assert theirs == said
    assert snapshot.stop_reason == folded["stop_reason"]
    assert snapshot.usage.input_tokens == folded["usage"]["input_tokens"]


def openai_client(body: bytes) -> openai.OpenAI:
    answer = httpx2.Response(200, headers={"content-type": "text/event-stream"}, content=body)
    transport = httpx2.MockTransport(lambda request: answer)
    return openai.OpenAI(api_key="k", base_url="http://upstream/v1", http_client=httpx2.Client(transport=transport))


@pytest.mark.parametrize("path", of("responses", goldens("streams", "sse", whole=True)))
def test_openais_responses_stream_agrees(path: Path) -> None:
    folded = fold("responses", path.read_bytes())
    with openai_client(path.read_bytes()) as client, client.responses.stream(model="m", input="x") as stream:
        ends = [event for event in stream if event.type in ("response.completed", "response.incomplete")]
    assert len(ends) == 1
    assert [item.id for item in ends[0].response.output] == [item["id"] for item in folded["output"]]
    assert ends[0].response.status == folded["status"]


@pytest.mark.parametrize("path", of("chat_completions", goldens("streams", "sse"), without=(*BROKEN, *NOT_FOLDED)))
def test_openais_chat_stream_agrees(path: Path) -> None:
    folded = fold("chat_completions", path.read_bytes())["choices"][0]
    with openai_client(path.read_bytes()) as client:
        messages: Any = [{"role": "user", "content": "x"}]
        with client.chat.completions.stream(model="m", messages=messages) as stream:
            message = stream.get_final_completion().choices[0].message
    calls = [(call.id, call.function.arguments) for call in message.tool_calls or ()]
    assert message.content == folded["message"]["content"]
    assert calls == [(call["id"], call["function"]["arguments"]) for call in folded["message"].get("tool_calls", ())]


@pytest.mark.parametrize("path", of("chat_completions", goldens("streams", "sse"), only=BROKEN))
def test_openais_client_raises_for_an_error_in_the_stream(path: Path) -> None:
    with openai_client(path.read_bytes()) as client, pytest.raises(openai.APIError):
        list(client.chat.completions.create(model="m", messages=[{"role": "user", "content": "x"}], stream=True))
