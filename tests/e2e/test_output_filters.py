"""Output filters through a real Envoy: on agents and models, whole answers and streams, and what becomes of a failure."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import pytest_asyncio
from anthropic import APIError as AnthropicError
from anthropic import AsyncAnthropic
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from openai import APIError, AsyncOpenAI

from tests.e2e.test_orchestration import API_OF, speaks
from tests.kit.actor import STREAM_HEAD, Actor, Stream, acting, cut, silence
from tests.kit.asgi_server import serve
from tests.kit.llm_streams import STREAMS
from tests.kit.llm_streams import Answer as Said
from tests.kit.plano_up import CHAT, MESSAGES, RESPONSES, Running, plano_up
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-output-filters")]

SECRET = "SECRET-TOKEN-123"
ASKED: dict[str, Any] = {"model": "any", "max_tokens": 9, "messages": [{"role": "user", "content": "Tell me the secret."}]}
QUESTION = {CHAT: ASKED, MESSAGES: ASKED, RESPONSES: {"model": "any", "input": "Tell me the secret."}}
PATHS = list(QUESTION)
WHERE = ["agents", "models", "by_mcp", "by_python", "together"]
FUNCTIONS = f"""
import json, re

class Refused(Exception):
    status = 403

def redact(body, path):
    if "FORBIDDEN" in str(body):
        raise Refused("Not on " + path + ".")
    return json.loads(json.dumps(body).replace("{SECRET}", "[gone]"))

def canned(body):
    return {{"answer": "We are closed."}}

def never(body):
    re.match(r"(a+)+$", "a" * 40 + "b")
"""


async def redact(request: Received, _writer: asyncio.StreamWriter) -> Answer:
    """Filter as one does that knows no API: bytes in, bytes out."""
    kind = request.headers["content-type"]
    return Answer(body=request.body.replace(SECRET.encode(), b"[gone]"), headers={"content-type": kind})


def mcp_redactor() -> MCPServer:
    server = MCPServer("redactors", log_level="CRITICAL")

    @server.tool()
    def mcp_redact(body: dict[str, Any], path: str) -> dict[str, Any]:
        if "FORBIDDEN" in str(body):
            raise ToolError(f"Not on {path}.")
        changed: dict[str, Any] = json.loads(json.dumps(body).replace(SECRET, "[gone]"))
        return changed

    return server


@dataclass(slots=True)
class Stage:
    gateway: Running
    agent: Actor
    other: Actor
    model: Actor
    redactor: Actor
    masker: Actor

    def openai(self, listener: str) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.gateway.url(listener)}/v1", api_key="k", max_retries=0)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        actors = {
            name: await stack.enter_async_context(acting(Answer()))
            for name in ("agent", "other", "model", "redactor", "masker")
        }
        mcp_url = await stack.enter_async_context(serve(mcp_redactor().streamable_http_app()))

        def http(name: str, actor: str = "redactor", **settings: Any) -> dict[str, Any]:
            return {"id": name, "type": "http", "url": actors[actor].url, "timeout": "600ms", **settings}

        def agents(name: str, *filters: str, ids: tuple[str, ...] = ("agent",), **settings: Any) -> dict[str, Any]:
            offered = [{"id": agent, "description": f"The {agent}."} for agent in ids]
            return {"type": "agent", "name": name, "agents": offered, "output_filters": list(filters), **settings}

        config = {
            "agents": [{"id": name, "url": actors[name].url, "api": [*API_OF.values()]} for name in ("agent", "other")],
            "filters": [
                http("redact", hold_back=16),
                http("lenient", on_error="pass", hold_back=16),
                http("mask", "masker"),
                http("unmask", "masker"),
                {"id": "py_redact", "type": "python", "callable": "users_filters:redact", "hold_back": 16},
                {"id": "canned", "type": "python", "callable": "users_filters:canned"},
                {"id": "never", "type": "python", "callable": "users_filters:never", "timeout": "300ms"},
                {"id": "mcp_redact", "type": "mcp", "url": f"{mcp_url}/mcp", "hold_back": 16},
            ],
            "model_providers": [
                {"model": "openai/gpt", "base_url": f"{actors['model'].url}/v1", "access_key": "$KEY", "default": True},
                {"model": "anthropic/claude", "base_url": actors["model"].url, "access_key": "$KEY"},
                {"model": "openai/chooser", "base_url": f"{actors['other'].url}/v1", "access_key": "$KEY"},
            ],
            "listeners": [
                agents("agents", "redact"),
                agents("open", "lenient"),
                agents("by_mcp", "mcp_redact"),
                agents("by_python", "py_redact"),
                agents("stuck", "never"),
                agents("together", "redact", ids=("agent", "other"), orchestration={"labels": False}),
                {
                    **agents("closed"),
                    "agents": [{"id": "agent", "description": "The agent.", "input_filters": ["canned", "never"]}],
                },
                {
                    **agents("masked", "unmask"),
                    "agents": [{"id": "agent", "description": "The agent.", "input_filters": ["mask"]}],
                },
                {"type": "model", "name": "models", "output_filters": ["redact"]},
            ],
            "overrides": {"agent_embedding_model": "none"},
        }
        folder = tmp_path_factory.mktemp("filters")
        (folder / "users_filters.py").write_text(FUNCTIONS)
        gateway = await stack.enter_async_context(plano_up(config, folder, env={"KEY": "k"}))
        yield Stage(gateway, **actors)


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    for name in ("agent", "other", "model", "redactor", "masker"):
        getattr(_stage, name).reset()
    for name in ("agent", "other", "model"):
        getattr(_stage, name).plays(speaks(f"It is {SECRET}, all right."))
    _stage.redactor.plays(redact)
    return _stage


async def ask(stage: Stage, listener: str, path: str, *, stream: bool) -> httpx.Response:
    body = QUESTION[path] | ({"stream": True} if stream else {})
    body |= {"model": {CHAT: "openai/gpt", MESSAGES: "anthropic/claude", RESPONSES: "openai/gpt"}[path]}
    return await stage.gateway.post(listener, body, path)


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("listener", WHERE)
async def test_what_filters_take_out_reaches_nobody(stage: Stage, listener: str, path: str, stream: bool) -> None:
    answer = await ask(stage, listener, path, stream=stream)
    assert answer.status_code == 200, answer.text
    assert SECRET not in answer.text
    assert "[gone], all right." in answer.text
    assert answer.headers["content-type"].startswith("text/event-stream" if stream else "application/json")


async def test_sdks_read_filtered_streams(stage: Stage) -> None:
    async with stage.openai("agents") as openai:
        stream = await openai.chat.completions.create(stream=True, model="m", messages=ASKED["messages"])
        chunks = [chunk async for chunk in stream]
        events = [event async for event in await openai.responses.create(model="m", input="Tell me.", stream=True)]
    async with (
        AsyncAnthropic(base_url=stage.gateway.url("agents"), api_key="k", max_retries=0) as anthropic,
        anthropic.messages.stream(model="m", max_tokens=9, messages=ASKED["messages"]) as parts,
    ):
        message = await parts.get_final_message()
    said = "It is [gone], all right."
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == said
    assert events[-1].type == "response.completed"
    assert events[-1].response.output_text == said
    assert [event.sequence_number for event in events] == list(range(len(events)))
    assert message.content[0].text == said  # type: ignore[union-attr]


async def test_text_comes_while_the_agent_goes_on(stage: Stage) -> None:
    told = Stream()
    stage.agent.plays(told)
    for number in range(20):
        choice = {"index": 0, "delta": {"content": f"word{number} "}, "finish_reason": None}
        told.send(json.dumps({"id": "c", "object": "chat.completion.chunk", "choices": [choice]}))
    url = f"{stage.gateway.url('agents')}{CHAT}"
    async with stage.gateway.http.stream("POST", url, json=ASKED | {"stream": True}) as answer:
        so_far = ""
        async for chunk in answer.aiter_text():
            so_far += chunk
            if "word14" in so_far:
                break
        assert "word19" not in so_far


async def test_arguments_of_tools_are_text_too(stage: Stage) -> None:
    call = Said([], "", [], [("send", {"text": f"x{SECRET}y"})], 12, "tool_calls", (1, 0, 0, 1, 0))
    for path, api in API_OF.items():
        stage.agent.plays(Answer(body=STREAMS[api](call), headers={"content-type": "text/event-stream"}))
        answer = await ask(stage, "agents", path, stream=True)
        assert SECRET not in answer.text
        assert "SECRET-" not in answer.text
        assert "x[gone]y" in answer.text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize(
    ("plays", "status"),
    [(Answer(500, b"boom"), 502), (Answer(200, b"no JSON"), 502), (cut, 503), (silence, 504)],
    ids=["500", "nonsense", "cut", "silent"],
)
async def test_a_filter_that_fails(stage: Stage, plays: Any, status: int, stream: bool) -> None:
    stage.redactor.plays(plays)
    closed = await ask(stage, "agents", CHAT, stream=stream)
    assert SECRET not in closed.text
    assert "Filter 'redact'" in closed.text
    assert "all right" not in closed.text
    assert closed.status_code == (200 if stream else status)
    lenient = await ask(stage, "open", CHAT, stream=stream)
    assert lenient.status_code == 200
    assert "all right." in lenient.text


@pytest.mark.parametrize("path", PATHS)
async def test_a_filter_refuses_an_answer(stage: Stage, path: str) -> None:
    stage.redactor.plays(Answer(451, b'{"error": {"message": "Not for you."}}'))
    whole_ = await ask(stage, "open", path, stream=False)
    streamed = await ask(stage, "open", path, stream=True)
    assert whole_.status_code == 451
    assert whole_.json()["error"]["message"] == "Not for you."
    assert SECRET not in whole_.text + streamed.text
    assert "Not for you." in streamed.text


async def test_sdks_raise_what_ends_a_stream(stage: Stage) -> None:
    stage.redactor.plays(Answer(403, b"Not for you."))
    async with stage.openai("agents") as openai:
        stream = await openai.chat.completions.create(stream=True, model="m", messages=ASKED["messages"])
        with pytest.raises(APIError, match="Not for you"):
            [chunk async for chunk in stream]
    async with AsyncAnthropic(base_url=stage.gateway.url("agents"), api_key="k", max_retries=0) as anthropic:
        with pytest.raises(AnthropicError, match="Not for you"):
            async with anthropic.messages.stream(model="m", max_tokens=9, messages=ASKED["messages"]) as parts:
                await parts.get_final_message()


@pytest.mark.parametrize(("listener", "status"), [("by_mcp", 400), ("by_python", 403)])
async def test_tools_and_functions_refuse_an_answer(stage: Stage, listener: str, status: int) -> None:
    stage.agent.plays(speaks("This is FORBIDDEN."))
    answer = await ask(stage, listener, CHAT, stream=False)
    assert (answer.status_code, answer.json()["error"]["message"]) == (status, f"Not on {CHAT}.")
    assert f"Not on {CHAT}." in (await ask(stage, listener, CHAT, stream=True)).text


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", PATHS)
async def test_a_filter_answers_in_place_of_the_agent(stage: Stage, path: str, stream: bool) -> None:
    answer = await ask(stage, "closed", path, stream=stream)
    assert (answer.status_code, answer.headers["x-plano-decision"]) == (200, "answered_by_filter; canned")
    assert "We are closed." in text_of(answer, path, stream=stream)
    assert stage.agent.received == []


async def test_a_function_that_never_returns_keeps_nobody_else_waiting(stage: Stage) -> None:
    stuck = [asyncio.ensure_future(ask(stage, "stuck", CHAT, stream=False)) for _ in range(4)]
    others = [await ask(stage, "by_python", CHAT, stream=False) for _ in range(4)]
    assert [answer.status_code for answer in others] == [200] * 4
    assert {(await answer).status_code for answer in stuck} == {504}


@pytest.mark.parametrize("stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("path", PATHS)
async def test_what_is_masked_in_the_request_is_unmasked_in_the_answer(stage: Stage, path: str, stream: bool) -> None:
    masks: dict[str, tuple[bytes, bytes]] = {}

    async def mask(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        request_id = request.headers["x-request-id"]
        if request_id not in masks:
            masks[request_id] = (b"ann@example.com", b"<EMAIL_1>")
            return Answer(body=request.body.replace(*masks[request_id]))
        plain, masked = masks[request_id]
        return Answer(body=request.body.replace(masked, plain))

    stage.masker.plays(mask)
    stage.agent.plays(speaks("I shall write to <EMAIL_1> and nobody else."))
    body = json.loads(json.dumps(QUESTION[path]).replace("the secret", "ann@example.com"))
    answer = await stage.gateway.post("masked", body | {"stream": stream}, path)
    assert "I shall write to ann@example.com and nobody else." in text_of(answer, path, stream=stream)
    assert b"ann@" not in stage.agent.last.body
    assert len(masks) == 1


def text_of(answer: httpx.Response, path: str, *, stream: bool) -> str:
    if not stream:
        return answer.text
    events = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: {")]
    deltas: dict[str, Callable[[dict[str, Any]], str]] = {
        CHAT: lambda event: "".join(choice["delta"].get("content") or "" for choice in event.get("choices", ())),
        MESSAGES: lambda event: event.get("delta", {}).get("text", ""),
        RESPONSES: lambda event: event.get("delta", ""),
    }
    return "".join(deltas[path](event) for event in events)


async def test_errors_of_upstreams_are_filtered_and_those_of_the_gateway_are_not(stage: Stage) -> None:
    stage.agent.plays(Answer(422, json.dumps({"error": {"message": f"{SECRET} is wrong"}}).encode()))
    answer = await ask(stage, "agents", CHAT, stream=False)
    assert (answer.status_code, answer.json()["error"]["message"]) == (422, "[gone] is wrong")
    stage.redactor.received.clear()
    stage.agent.plays(cut)
    assert (await ask(stage, "agents", CHAT, stream=True)).status_code == 503
    assert (await stage.gateway.post("agents", b"not JSON")).status_code == 400
    assert (await stage.gateway.http.get(f"{stage.gateway.url('models')}/v1/models")).status_code == 200
    assert stage.redactor.received == []


async def test_an_answer_that_filters_cannot_read_does_not_pass(stage: Stage) -> None:
    for unread in (Answer(200, b"SECRET"), Answer(200, b'{"SECRET": 1}', {"content-encoding": "br"})):
        stage.agent.plays(unread)
        answer = await ask(stage, "agents", CHAT, stream=False)
        assert answer.status_code == 502
        assert "SECRET" not in answer.text
    assert stage.agent.last.headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/files/file-1/content", "/v1/messages/batches/b-1/results"])
async def test_what_filters_cannot_see_is_not_served(stage: Stage, path: str) -> None:
    answer = await stage.gateway.http.get(f"{stage.gateway.url('models')}{path}")
    assert answer.status_code == 400
    assert "output filters of this listener" in answer.json()["error"]["message"]
    assert stage.model.received == []


async def test_a_stream_that_is_cut_stays_cut(stage: Stage) -> None:
    begun = asyncio.Event()
    choice = {"index": 0, "delta": {"content": "half an answer " * 4}, "finish_reason": None}
    event = b"data: " + json.dumps({"id": "c", "choices": [choice]}).encode() + b"\n\n"

    async def broken(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD + b"%x\r\n%s\r\n" % (len(event), event))
        await begun.wait()

    stage.agent.plays(broken)
    url = f"{stage.gateway.url('agents')}{CHAT}"
    async with stage.gateway.http.stream("POST", url, json=ASKED | {"stream": True}) as answer:
        chunks = answer.aiter_text()
        assert "half an answer" in await anext(chunks)
        begun.set()
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(chunks)


async def test_long_streams_to_slow_clients(stage: Stage) -> None:
    text = "a long story " * 2000
    pieces = [text[start : start + 13] for start in range(0, len(text), 13)]
    body = STREAMS["chat_completions"](Said([], "", pieces * 10, [], 0, "stop", (1, 0, 0, 1, 0)))
    stage.agent.plays(Answer(body=body, headers={"content-type": "text/event-stream"}))
    url = f"{stage.gateway.url('agents')}{CHAT}"
    async with stage.gateway.http.stream("POST", url, json=ASKED | {"stream": True}) as answer:
        said = "".join([chunk async for chunk in answer.aiter_text()])
    assert said.endswith("[DONE]\n\n")
    assert text_of(httpx.Response(200, text=said), CHAT, stream=True) == text * 10


async def test_what_became_of_answers_is_counted(stage: Stage) -> None:
    await ask(stage, "agents", CHAT, stream=False)
    metrics = (await stage.gateway.http.get(f"{stage.gateway.override_url('metrics_port')}/metrics")).text
    assert 'plano_filtered_answers_total{listener="agents",outcome="filtered"}' in metrics
