"""Agent listeners of a whole gateway: who answers, and that the answer is the agent's own."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from tests.e2e.stage import Stage
from tests.kit.actor import STREAM_HEAD, Stream, cut, silence
from tests.kit.plano_up import CHAT, MESSAGES, RESPONSES
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("e2e-stage")]

RAIN = b'{ "messages":[{"role":"user","content":"Will it rain in Seattle?"}], "stream":false, "n":1.0, "mine":"\xc3\xa9" }'


def asking(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def shape_of(body: dict[str, Any]) -> str:
    """Say in which API's words an error is."""
    if set(body) == {"type", "error"} and body["type"] == "error":
        return "anthropic" if set(body["error"]) == {"type", "message"} else "neither"
    return "openai" if set(body["error"]) == {"message", "type", "param", "code"} else "neither"


EACH_API = [(CHAT, RAIN), (MESSAGES, RAIN), (RESPONSES, b'{"input": "Will it rain?"}')]


@pytest.mark.parametrize(("path", "body"), EACH_API)
async def test_one_agent_needs_no_decision_and_gets_the_clients_bytes(stage: Stage, path: str, body: bytes) -> None:
    answer = await stage.gateway.post("solo", body, f"{path}?a=b", authorization="Bearer client", x_mine="1")
    assert (answer.status_code, answer.json()) == (200, {"from": "weather"})
    assert (answer.headers["x-plano-agent"], answer.headers["x-plano-decision"]) == ("weather", "only_agent")
    seen = stage.weather.last
    assert (seen.path, seen.body) == (f"{path}?a=b", body)
    assert (seen.headers["authorization"], seen.headers["x-mine"]) == ("Bearer client", "1")


@pytest.mark.parametrize(
    ("question", "agent"), [("Will it rain in Seattle?", "weather"), ("Which flights depart to Istanbul?", "flight")]
)
async def test_the_built_in_router_chooses_between_two(stage: Stage, question: str, agent: str) -> None:
    answer = await stage.gateway.post("travel", asking(question))
    assert answer.json() == {"from": agent}
    assert answer.headers["x-plano-agent"] == agent
    assert answer.headers["x-plano-decision"].startswith('built_in_router; matched "')


async def test_a_follow_up_needs_the_conversation(stage: Stage) -> None:
    turns = ["Will it rain in Seattle?", "Yes, all week.", "And on Sunday?"]
    roles = ("user", "assistant", "user")
    messages = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=True)]
    answer = await stage.gateway.post("travel", {"messages": messages})
    assert answer.headers["x-plano-agent"] == "weather"


async def test_what_fits_nobody_goes_to_the_first_agent(stage: Stage) -> None:
    answer = await stage.gateway.post("travel", asking("Sing me a song."))
    assert (answer.headers["x-plano-agent"], answer.headers["x-plano-decision"]) == ("weather", "first_agent; nothing matched")


async def test_the_path_of_an_agents_url_goes_before_the_requests(stage: Stage) -> None:
    await stage.gateway.post("travel", asking("Which flights depart to Istanbul?"))
    assert stage.flight.last.path == f"/base{CHAT}"


@pytest.mark.parametrize("status", [201, 400, 401, 404, 418, 429, 500, 502])
async def test_an_agents_own_answer_reaches_the_client_unchanged(stage: Stage, status: int) -> None:
    body = b"  not even { JSON \xff"
    stage.weather.plays(Answer(status, body, {"content-type": "text/x-mine", "x-mine": "kept", "server": "agent"}))
    answer = await stage.gateway.post("solo", RAIN)
    assert (answer.status_code, answer.content) == (status, body)
    assert [answer.headers[name] for name in ("content-type", "x-mine", "server")] == ["text/x-mine", "kept", "agent"]
    assert len(stage.weather.received) == 1


async def test_an_agents_503_is_tried_again_and_its_last_word_reaches_the_client(stage: Stage) -> None:
    stage.weather.plays(Answer(503, b"first"), Answer(503, b"second"), Answer(503, b"third"))
    answer = await stage.gateway.post("solo", RAIN)
    assert (answer.status_code, answer.content, len(stage.weather.received)) == (503, b"third", 3)
    assert {request.body for request in stage.weather.received} == {RAIN}


async def test_what_an_agent_says_under_our_names_is_replaced(stage: Stage) -> None:
    stage.weather.plays(Answer(headers={"x-plano-agent": "president", "x-plano-decision": "mine", "x-plano-model": "m"}))
    answer = await stage.gateway.post("solo", RAIN)
    assert (answer.headers["x-plano-agent"], answer.headers["x-plano-decision"]) == ("weather", "only_agent")
    assert "x-plano-model" not in answer.headers


async def test_a_clients_own_route_is_ignored(stage: Stage) -> None:
    answer = await stage.gateway.post("travel", asking("Will it rain in Seattle?"), x_plano_route="agent/flight")
    assert answer.headers["x-plano-agent"] == "weather"
    assert "x-plano-route" not in stage.weather.last.headers
    assert stage.flight.received == []


async def test_a_stream_arrives_token_by_token(stage: Stage) -> None:
    stream = Stream()
    stage.weather.plays(stream)
    url = f"{stage.gateway.url('travel')}{CHAT}"
    async with (
        asyncio.timeout(20),
        stage.gateway.http.stream("POST", url, json=asking("Will it rain?") | {"stream": True}) as answer,
    ):
        assert (answer.status_code, answer.headers["content-type"]) == (200, "text/event-stream")
        chunks = answer.aiter_raw()
        for word in ("one", "two", "three"):
            stream.send(word)  # only now: the one before has arrived
            assert await anext(chunks) == f"data: {word}\n\n".encode()
        stream.send("")
        assert [chunk async for chunk in chunks] == []


async def test_a_stream_outlives_the_listeners_timeout(stage: Stage) -> None:
    async def trickle(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        for _ in range(6):
            writer.write(b"1\r\n.\r\n")
            await writer.drain()
            await asyncio.sleep(0.2)  # twice the listener's 500 ms altogether
        writer.write(b"0\r\n\r\n")
        await writer.drain()

    stage.weather.plays(trickle)
    assert (await stage.gateway.post("hasty", RAIN)).text == "......"


async def test_silence_in_a_stream_is_bounded(stage: Stage) -> None:
    stream = Stream()
    stage.weather.plays(stream)
    stream.send("one")
    url = f"{stage.gateway.url('quiet')}{CHAT}"
    async with asyncio.timeout(20), stage.gateway.http.stream("POST", url, json=json.loads(RAIN)) as answer:
        chunks = answer.aiter_raw()
        assert await anext(chunks) == b"data: one\n\n"
        with pytest.raises(httpx.RemoteProtocolError):
            await anext(chunks)


async def test_a_client_that_leaves_ends_the_agents_work(stage: Stage) -> None:
    left = asyncio.Event()

    async def talk(_request: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(STREAM_HEAD)
        try:
            while True:
                writer.write(b"1\r\n.\r\n")
                await writer.drain()
                await asyncio.sleep(0.02)
        except ConnectionError:
            left.set()

    stage.weather.plays(talk)
    url = f"{stage.gateway.url('travel')}{CHAT}"
    async with asyncio.timeout(20):
        async with stage.gateway.http.stream("POST", url, json=json.loads(RAIN)) as answer:
            assert await anext(answer.aiter_raw())
        await left.wait()


@pytest.mark.parametrize(("path", "body"), EACH_API)
async def test_an_agent_that_is_not_there(stage: Stage, path: str, body: bytes) -> None:
    answer = await stage.gateway.post("absent", body, path)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
    assert shape_of(answer.json()) == ("anthropic" if path == MESSAGES else "openai")
    assert answer.headers["x-plano-agent"] == "absent"
    assert "127.0.0.1" not in answer.text


@pytest.mark.parametrize(("path", "body"), EACH_API)
async def test_an_agent_that_is_silent(stage: Stage, path: str, body: bytes) -> None:
    stage.weather.plays(silence)
    answer = await stage.gateway.post("hasty", body, path)
    assert (answer.status_code, answer.headers["content-type"]) == (504, "application/json")
    assert shape_of(answer.json()) == ("anthropic" if path == MESSAGES else "openai")
    assert len(stage.weather.received) == 1, "an agent may act in the world: not asked twice"


async def test_an_agent_that_hangs_up(stage: Stage) -> None:
    stage.weather.plays(cut)
    answer = await stage.gateway.post("solo", RAIN)
    assert (answer.status_code, shape_of(answer.json())) == (503, "openai")
    assert json.loads(answer.content)["error"]["code"] == "upstream_unavailable"
    assert len(stage.weather.received) == 1
