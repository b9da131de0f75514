"""Several agents answer one question, through a real Envoy, read by the official SDKs."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import pytest
import pytest_asyncio
from anthropic import AsyncAnthropic, NotFoundError
from openai import APIError, AsyncOpenAI

from tests.kit.actor import STREAM_HEAD, Actor, Stream, acting, cut, silence
from tests.kit.llm_streams import STREAMS
from tests.kit.llm_streams import Answer as Said
from tests.kit.plano_up import CHAT, EVERY_API, MESSAGES, RESPONSES, Running, plano_up
from tests.kit.stub_upstream import Answer, Received

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("e2e-orchestration")]

TRIP: dict[str, Any] = {"messages": [{"role": "user", "content": "Flights to Atlanta, and the weather there?"}]}
BOTH = "**flight**\n\nAt nine.\n\n**weather**\n\nIt rains."
NAMES = ("flight", "weather", "judge", "model")
HOPS = ("flight", "weather", "judge")
API_OF = {CHAT: "chat_completions", MESSAGES: "messages", RESPONSES: "responses"}
SPOKEN = {"flight": "At nine.", "weather": "It rains.", "judge": "At nine; it rains."}


@dataclass(slots=True)
class Stage:
    gateway: Running
    flight: Actor
    weather: Actor
    judge: Actor
    model: Actor

    def openai(self, listener: str) -> AsyncOpenAI:
        return AsyncOpenAI(base_url=f"{self.gateway.url(listener)}/v1", api_key="k", max_retries=0)


def whole(text: str, path: str) -> Answer:
    """Answer as a server of an API does."""
    usage: dict[str, Any] = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7}
    said: dict[str, dict[str, Any]] = {
        CHAT: {
            "id": "c-1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7},
        },
        MESSAGES: {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "m",
            "content": [{"type": "text", "text": text}],
            "stop_reason": "end_turn",
            "stop_sequence": None,
            "usage": usage,
        },
        RESPONSES: {
            "id": "resp_1",
            "object": "response",
            "created_at": 1,
            "model": "m",
            "status": "completed",
            "output": [
                {
                    "type": "message",
                    "id": "msg_1",
                    "role": "assistant",
                    "status": "completed",
                    "content": [{"type": "output_text", "text": text, "annotations": []}],
                }
            ],
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
            "usage": usage,
        },
    }
    return Answer(body=json.dumps(said[path]).encode())


def speaks(text: str) -> Any:
    """Play an agent that speaks every API, streaming or not."""

    async def behave(request: Received, _writer: asyncio.StreamWriter) -> Answer:
        path = request.path.partition("?")[0]
        if not json.loads(request.body).get("stream"):
            return whole(text, path)
        data = STREAMS[API_OF[path]](Said([], "", [text[:4], text[4:]], [], 0, "stop", (3, 0, 0, 4, 0)))
        return Answer(body=data, headers={"content-type": "text/event-stream"})

    return behave


def names(*agents: str) -> Answer:
    return whole(json.dumps({"route": list(agents)}), CHAT)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    async with AsyncExitStack() as stack:
        actors = {name: await stack.enter_async_context(acting(Answer())) for name in NAMES}
        offered = [{"id": name, "description": f"Knows about the {name}."} for name in ("flight", "weather")]

        def listener(name: str, **settings: Any) -> dict[str, Any]:
            return {"type": "agent", "name": name, "agents": offered, "orchestration": settings}

        config = {
            "agents": [
                *({"id": name, "url": actors[name].url, "api": EVERY_API} for name in ("flight", "weather", "judge")),
                {"id": "backed", "url": actors["flight"].url, "fallbacks": ["judge"], "api": EVERY_API},
                {"id": "chats", "url": f"{actors['flight'].url}"},
                {"id": "responds", "url": f"{actors['flight'].url}", "api": "responses"},
            ],
            "model_providers": [{"model": "openai/chooser", "base_url": f"{actors['model'].url}/v1", "access_key": "$KEY"}],
            "listeners": [
                {"type": "agent", "name": "plain", "agents": offered},
                {"type": "model", "name": "models"},
                listener("lenient", on_failure="continue"),
                listener("last", stream="last"),
                listener("parallel", mode="parallel"),
                listener("merged", mode="parallel", synthesizer="judge"),
                listener("merged_by_model", mode="parallel", synthesizer="openai/chooser"),
                listener("race", mode="first"),
                listener("loop", mode="loop", evaluator="judge", max_rounds=2),
                listener("one", max_agents=1),
                *(
                    {"type": "agent", "name": name, "agents": [{"id": name, "description": "All."}]}
                    for name in ("chats", "responds")
                ),
                {
                    "type": "agent",
                    "name": "mixed",
                    "agents": [{"id": name, "description": f"Knows {name}."} for name in ("chats", "weather")],
                },
                {
                    "type": "agent",
                    "name": "hops",
                    "timeout": "1s",
                    "agents": [{"id": name, "description": f"The {name}."} for name in HOPS],
                    "orchestration": {"on_failure": "continue"},
                },
                {
                    "type": "agent",
                    "name": "backed",
                    "agents": [{"id": name, "description": f"The {name}."} for name in ("weather", "backed")],
                },
                {
                    "type": "agent",
                    "name": "canary",
                    "agents": [
                        {**offered[0], "variants": [{"agent": "judge", "header": "x-beta"}]},
                        {**offered[1], "variants": [{"agent": "judge", "weight": 50}]},
                    ],
                },
            ],
            "overrides": {"agent_orchestration_model": "openai/chooser"},
        }
        gateway = await stack.enter_async_context(plano_up(config, tmp_path_factory.mktemp("orchestration"), env={"KEY": "k"}))
        yield Stage(gateway, **actors)


@pytest.fixture
def stage(_stage: Stage) -> Stage:
    for name, text in SPOKEN.items():
        actor: Actor = getattr(_stage, name)
        actor.reset()
        actor.plays(speaks(text))
    _stage.model.reset()
    _stage.model.plays(names("flight", "weather"))
    return _stage


async def test_chat_clients_get_every_part_in_one_answer(stage: Stage) -> None:
    async with stage.openai("plain") as client:
        answer = await client.chat.completions.create(model="any", **TRIP)
        chunks = [chunk async for chunk in await client.chat.completions.create(model="any", stream=True, **TRIP)]
    assert answer.choices[0].message.content == BOTH
    assert answer.usage is not None
    assert answer.usage.total_tokens == 14
    assert [(part["id"], part["content"]) for part in answer.model_extra["agents"]] == [
        ("flight", "At nine."),
        ("weather", "It rains."),
    ]
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == BOTH
    assert len({chunk.id for chunk in chunks}) == 1
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices[0].finish_reason] == ["stop"]
    assert list(dict.fromkeys(chunk.model_extra["agent"] for chunk in chunks)) == ["flight", "weather"]


async def test_messages_clients_get_a_block_of_each_agent(stage: Stage) -> None:
    async with AsyncAnthropic(base_url=stage.gateway.url("plain"), api_key="k", max_retries=0) as client:
        answer = await client.messages.create(model="any", max_tokens=9, **TRIP)
        async with client.messages.stream(model="any", max_tokens=9, **TRIP) as stream:
            streamed = await stream.get_final_message()
    for message in (answer, streamed):
        texts = [(block.agent, block.text) for block in message.content]  # type: ignore[union-attr]
        assert texts == [("flight", "**flight**\n\nAt nine."), ("weather", "**weather**\n\nIt rains.")]
        assert (message.usage.input_tokens, message.usage.output_tokens) == (6, 8)
        assert message.stop_reason == "end_turn"


async def test_responses_clients_get_an_item_of_each_agent(stage: Stage) -> None:
    async with stage.openai("plain") as client:
        answer = await client.responses.create(model="any", input="Flights to Atlanta, and the weather there?")
        events = [event async for event in await client.responses.create(model="any", input="A trip?", stream=True)]
    final = events[-1].response  # type: ignore[union-attr]
    for response in (answer, final):
        assert [item.agent for item in response.output] == ["flight", "weather"]  # type: ignore[union-attr]
        assert response.output_text == "**flight**\n\nAt nine.**weather**\n\nIt rains."
        assert response.status == "completed"
    assert [event.sequence_number for event in events] == list(range(len(events)))


async def test_later_agents_see_the_answers_before_theirs(stage: Stage) -> None:
    answer = await stage.gateway.post("plain", TRIP, authorization="Bearer mine")
    assert answer.headers["x-plano-agent"] == "flight, weather"
    assert answer.headers["x-plano-decision"] == "orchestrator; named flight, weather"
    question = TRIP["messages"][0]
    assert stage.flight.last_json["messages"] == [question]
    assert stage.weather.last_json["messages"] == [{"role": "assistant", "name": "flight", "content": "At nine."}, question]
    assert stage.weather.last.headers["authorization"] == "Bearer mine"


async def test_parts_are_streamed_while_they_come(stage: Stage) -> None:
    slow = Stream()
    stage.weather.plays(slow)
    async with stage.openai("plain") as client:
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        seen = ""
        async for chunk in stream:
            seen += chunk.choices[0].delta.content or ""
            if "At nine." in seen:
                break
        slow.send(json.dumps({"id": "c", "choices": [{"index": 0, "delta": {"content": "Rain."}, "finish_reason": "stop"}]}))
        slow.send("")
        seen += "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert seen == "**flight**\n\nAt nine.\n\n**weather**\n\nRain."


async def test_the_last_part_alone_as_in_plano(stage: Stage) -> None:
    async with stage.openai("last") as client:
        answer = await client.chat.completions.create(model="any", **TRIP)
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert answer.choices[0].message.content == streamed == "It rains."
    assert len(stage.flight.received) == 2


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_first_agent_that_fails_ends_the_answer_with_its_own_error(stage: Stage, is_stream: bool) -> None:
    stage.flight.plays(Answer(status=422, body=b'{"error": {"message": "No such city."}}'))
    answer = await stage.gateway.post("plain", TRIP | {"stream": is_stream})
    assert (answer.status_code, answer.json()) == (422, {"error": {"message": "No such city."}})
    assert not stage.weather.received


async def test_an_agent_that_fails_later_ends_a_stream_with_an_error(stage: Stage) -> None:
    stage.weather.plays(Answer(status=422, body=b'{"error": {"message": "No such city."}}'))
    async with stage.openai("plain") as client:
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        with pytest.raises(APIError, match="No such city"):
            _ = [chunk async for chunk in stream]


@pytest.mark.parametrize("failure", [Answer(status=500), cut, Answer(body=b"<html>"), Answer(body=b"{}")])
@pytest.mark.parametrize("is_stream", [False, True])
async def test_who_is_lenient_goes_on_with_a_note(stage: Stage, failure: Any, is_stream: bool) -> None:
    stage.flight.plays(failure)
    async with stage.openai("lenient") as client:
        if is_stream:
            stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        else:
            text = (await client.chat.completions.create(model="any", **TRIP)).choices[0].message.content or ""
    assert text == "**flight**\n\n(flight could not answer.)\n\n**weather**\n\nIt rains."
    assert stage.weather.last_json["messages"] == TRIP["messages"]


async def test_agents_that_do_not_stream_are_heard_all_the_same(stage: Stage) -> None:
    stage.flight.plays(whole("At nine.", CHAT))
    async with stage.openai("plain") as client:
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == BOTH


async def test_tool_calls_end_a_sequence(stage: Stage) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "book", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call]}
    body = {"choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    stage.flight.plays(Answer(body=json.dumps(body).encode()))
    answer = (await stage.gateway.post("plain", TRIP)).json()
    assert answer["choices"][0]["finish_reason"] == "tool_calls"
    assert answer["choices"][0]["message"]["tool_calls"] == [call]
    assert not stage.weather.received


async def test_parallel_parts_come_in_order(stage: Stage) -> None:
    async with stage.openai("parallel") as client:
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
        answer = await client.chat.completions.create(model="any", **TRIP)
    assert streamed == answer.choices[0].message.content == BOTH
    assert stage.weather.last_json["messages"] == TRIP["messages"]


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_synthesizer_makes_one_answer_of_all(stage: Stage, is_stream: bool) -> None:
    async with AsyncAnthropic(base_url=stage.gateway.url("merged"), api_key="k", max_retries=0) as client:
        if is_stream:
            async with client.messages.stream(model="any", max_tokens=9, **TRIP) as stream:
                message = await stream.get_final_message()
        else:
            message = await client.messages.create(model="any", max_tokens=9, **TRIP)
    assert [block.text for block in message.content] == ["At nine; it rains."]  # type: ignore[union-attr]
    said = json.dumps(stage.judge.last_json["messages"])
    assert "At nine." in said
    assert "It rains." in said


@pytest.mark.parametrize("path", [CHAT, MESSAGES, RESPONSES])
async def test_a_model_can_be_the_synthesizer_of_every_api(stage: Stage, path: str) -> None:
    stage.model.plays(names("flight", "weather"), whole("All in one.", CHAT))
    question = {"input": "A trip?"} if path == RESPONSES else TRIP | {"max_tokens": 9}
    answer = await stage.gateway.post("merged_by_model", question, path)
    assert answer.status_code == 200
    assert "All in one." in answer.text
    assert "At nine." not in answer.text
    assert stage.model.last.headers["authorization"] == "Bearer k"


@pytest.mark.parametrize("is_stream", [False, True])
async def test_the_first_good_answer_wins_a_race(stage: Stage, is_stream: bool) -> None:
    stage.flight.plays(silence)
    answer = await stage.gateway.post("race", TRIP | {"stream": is_stream})
    assert "ins." in answer.text
    assert "**" not in answer.text
    stage.flight.plays(Answer(status=500))
    assert "ins." in (await stage.gateway.post("race", TRIP | {"stream": is_stream})).text


@pytest.mark.parametrize("is_stream", [False, True])
async def test_a_loop_goes_on_until_the_evaluator_is_content(stage: Stage, is_stream: bool) -> None:
    stage.flight.plays(speaks("At ten."), speaks("At nine sharp."))
    revise = whole('{"verdict": "revise", "feedback": "Be precise."}', CHAT)
    stage.judge.plays(revise, whole('{"verdict": "pass"}', CHAT))
    answer = await stage.gateway.post("loop", TRIP | {"stream": is_stream})
    assert answer.headers["x-plano-verdict"] == "pass; drafts=2"
    assert "At n" in answer.text
    assert "At ten" not in answer.text
    assert stage.flight.last_json["messages"][1:] == [
        {"role": "assistant", "content": "At ten."},
        {"role": "user", "content": "Be precise."},
    ]


async def test_a_loop_ends_at_its_limit_and_says_so(stage: Stage) -> None:
    stage.judge.plays(whole('{"verdict": "revise", "feedback": "No."}', CHAT))
    answer = await stage.gateway.post("loop", TRIP)
    assert answer.headers["x-plano-verdict"] == "revise; drafts=2"
    assert len(stage.flight.received) == 2
    assert answer.json()["choices"][0]["message"]["content"] == "At nine."


async def test_only_one_answers_where_one_may(stage: Stage) -> None:
    answer = await stage.gateway.post("one", TRIP)
    assert answer.headers["x-plano-agent"] == "flight"
    assert not stage.weather.received


@pytest.mark.parametrize("named", [{"model": "weather"}, {"x_plano_agent": "weather"}])
async def test_a_client_can_name_the_agent(stage: Stage, named: dict[str, str]) -> None:
    headers = {name: value for name, value in named.items() if name != "model"}
    answer = await stage.gateway.post("plain", TRIP | {"model": named.get("model", "any")}, **headers)
    assert answer.headers["x-plano-agent"] == "weather"
    assert answer.headers["x-plano-decision"].startswith("named_agent; ")
    assert not stage.model.received
    assert not stage.flight.received


async def test_a_header_that_names_nobody_is_refused(stage: Stage) -> None:
    answer = await stage.gateway.post("plain", TRIP, x_plano_agent="nobody")
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "x-plano-agent")


async def test_a_client_that_leaves_stops_the_sequence(stage: Stage) -> None:
    left = asyncio.Event()

    async def talks_until_cut(_request: Received, writer: asyncio.StreamWriter) -> None:
        event = b'data: {"id": "c", "choices": [{"index": 0, "delta": {"content": "At "}}]}\n\n'
        writer.write(STREAM_HEAD)
        try:
            while True:
                writer.write(b"%x\r\n%s\r\n" % (len(event), event))
                await writer.drain()
                await asyncio.sleep(0)
        except ConnectionError:
            left.set()

    stage.flight.plays(talks_until_cut)
    async with stage.openai("plain") as client:
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        await anext(aiter(stream))
        await stream.close()
    async with asyncio.timeout(10):
        await left.wait()
    assert not stage.weather.received


async def test_an_agent_that_speaks_chat_only_answers_responses_clients(stage: Stage) -> None:
    async with stage.openai("chats") as client:
        answer = await client.responses.create(model="any", input="A trip?", instructions="Be brief.")
        events = [event async for event in await client.responses.create(model="any", input="A trip?", stream=True)]
    assert answer.output_text == events[-1].response.output_text == "At nine."  # type: ignore[union-attr]
    assert answer.status == "completed"
    assert answer.usage is not None
    assert answer.usage.total_tokens == 7
    assert [event.sequence_number for event in events] == list(range(len(events)))
    first = json.loads(stage.flight.received[0].body)
    assert first["messages"] == [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "A trip?"}]
    assert {request.path for request in stage.flight.received} == {CHAT}


async def test_an_agent_that_speaks_chat_only_answers_messages_clients(stage: Stage) -> None:
    async with AsyncAnthropic(base_url=stage.gateway.url("chats"), api_key="k", max_retries=0) as client:
        answer = await client.messages.create(model="any", max_tokens=9, **TRIP)
        async with client.messages.stream(model="any", max_tokens=9, **TRIP) as stream:
            streamed = await stream.get_final_message()
    for message in (answer, streamed):
        assert [block.text for block in message.content] == ["At nine."]  # type: ignore[union-attr]
        assert message.stop_reason == "end_turn"
    assert {request.path for request in stage.flight.received} == {CHAT}


async def test_an_agent_that_speaks_responses_only_answers_chat_clients(stage: Stage) -> None:
    async with stage.openai("responds") as client:
        answer = await client.chat.completions.create(model="any", **TRIP)
        stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
        streamed = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert answer.choices[0].message.content == streamed == "At nine."
    assert {request.path for request in stage.flight.received} == {RESPONSES}


async def test_a_call_of_an_agent_that_speaks_chat_only_reaches_the_client(stage: Stage) -> None:
    call = {"id": "call_1", "type": "function", "function": {"name": "book", "arguments": '{"seat": 3}'}}
    body = {
        "choices": [{"index": 0, "message": {"role": "assistant", "tool_calls": [call]}, "finish_reason": "tool_calls"}],
        "model": "m",
    }
    stage.flight.plays(Answer(body=json.dumps(body).encode()))
    async with AsyncAnthropic(base_url=stage.gateway.url("chats"), api_key="k", max_retries=0) as client:
        answer = await client.messages.create(model="any", max_tokens=9, **TRIP)
    assert answer.stop_reason == "tool_use"
    assert [(block.name, block.input) for block in answer.content] == [("book", {"seat": 3})]


async def test_the_error_of_an_agent_of_another_api_is_told_in_the_clients(stage: Stage) -> None:
    stage.flight.plays(Answer(status=404, body=b'{"error": {"message": "No such city."}}'))
    async with AsyncAnthropic(base_url=stage.gateway.url("chats"), api_key="k", max_retries=0) as client:
        with pytest.raises(NotFoundError, match="No such city") as raised:
            await client.messages.create(model="any", max_tokens=9, **TRIP)
    assert raised.value.body == {"type": "error", "error": {"type": "not_found_error", "message": "No such city."}}


async def test_what_an_agent_of_another_api_cannot_be_told_is_refused_by_name(stage: Stage) -> None:
    answer = await stage.gateway.post("chats", {"input": "A trip?", "background": True}, RESPONSES)
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, "background")
    assert not stage.flight.received


async def test_what_is_left_out_for_an_agent_is_told_in_a_header(stage: Stage) -> None:
    tools = [{"type": "web_search"}, {"type": "function", "name": "book", "parameters": {"type": "object", "properties": {}}}]
    answer = await stage.gateway.post("chats", {"input": "A trip?", "tools": tools}, RESPONSES)
    assert answer.status_code == 200
    assert "web_search" in answer.headers["x-plano-warnings"]


async def test_agents_of_several_apis_answer_together(stage: Stage) -> None:
    stage.model.plays(names("chats", "weather"))
    async with stage.openai("mixed") as client:
        answer = await client.responses.create(model="any", input="A trip?")
    assert answer.output_text == "**chats**\n\nAt nine.**weather**\n\nIt rains."
    assert (stage.flight.last.path, stage.weather.last.path) == (CHAT, RESPONSES)


async def test_a_header_leads_to_a_variant_alone_and_in_a_sequence(stage: Stage) -> None:
    stage.model.plays(names("flight"))
    alone = await stage.gateway.post("canary", {"model": "any", **TRIP}, x_beta="1")
    stage.model.plays(names("flight", "flight", "weather"))
    together = await stage.gateway.post("canary", {"model": "any", **TRIP}, x_beta="1")
    assert (alone.headers["x-plano-agent"], SPOKEN["judge"] in alone.text) == ("judge", True)
    assert together.headers["x-plano-agent"].startswith("judge, ")
    assert "**judge**" in together.json()["choices"][0]["message"]["content"]
    assert stage.flight.received == []


async def test_a_conversation_stays_with_its_variant(stage: Stage) -> None:
    stage.model.plays(names("weather"))
    answers = [
        await stage.gateway.post("canary", {"model": "any", **TRIP}, x_model_affinity=f"c{n}") for n in [*range(12), *range(12)]
    ]
    met = [answer.headers["x-plano-agent"] for answer in answers]
    assert set(met) == {"weather", "judge"}
    assert met[:12] == met[12:]


async def breaks_off(request: Received, writer: asyncio.StreamWriter) -> None:
    """Begin an answer, and close the connection."""
    if json.loads(request.body).get("stream"):
        event = STREAMS["chat_completions"](Said([], "", ["So far "], [], 0, "stop", (1, 0, 0, 1, 0)))[:400]
        writer.write(STREAM_HEAD + b"%x\r\n%s\r\n" % (len(event), event))
    else:
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 900\r\n\r\n{")
    await writer.drain()
    writer.close()
    await writer.wait_closed()


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
@pytest.mark.parametrize("failing", HOPS)
@pytest.mark.parametrize(
    "failure",
    [silence, cut, Answer(body=b'{"choices": "none"}'), whole("x" * (17 << 20), CHAT), breaks_off],
    ids=["slow", "dead", "malformed", "huge", "breaks-off"],
)
async def test_whichever_agent_fails_the_others_answer(stage: Stage, failure: Any, failing: str, is_stream: bool) -> None:
    stage.model.plays(names(*HOPS))
    getattr(stage, failing).plays(failure)
    async with stage.openai("hops") as client:
        if is_stream:
            stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
            chunks = [chunk async for chunk in stream]
            text = "".join([chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices])
            assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "stop"
        else:
            text = (await client.chat.completions.create(model="any", **TRIP)).choices[0].message.content or ""
    assert f"({failing} could not answer.)" in text
    for name in HOPS:
        assert (SPOKEN[name] in text) == (name != failing)


@pytest.mark.parametrize("is_stream", [False, True], ids=["whole", "stream"])
async def test_the_fallback_of_an_agent_answers_its_part(stage: Stage, is_stream: bool) -> None:
    stage.model.plays(names("weather", "backed"))
    stage.flight.plays(Answer(503, b"{}"))
    async with stage.openai("backed") as client:
        if is_stream:
            stream = await client.chat.completions.create(model="any", stream=True, **TRIP)
            text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])
        else:
            text = (await client.chat.completions.create(model="any", **TRIP)).choices[0].message.content or ""
    assert text == f"**weather**\n\n{SPOKEN['weather']}\n\n**backed**\n\n{SPOKEN['judge']}"
    assert stage.flight.received
    assert [message["role"] for message in stage.judge.last_json["messages"]] == ["assistant", "user"]
