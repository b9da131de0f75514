"""Every official client against every upstream API, through a real gateway: what one side says the other hears."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import anthropic
import openai
import orjson
import pytest
import pytest_asyncio
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, RunConfig, Runner, function_tool

from tests.clients.asking import ASK, PNG, SCHEMA, Json, picture, question, results, structured, tools
from tests.clients.every_pair import World, every_pair
from tests.clients.scenarios import SAYS, STATUSES, UPSTREAMS
from tests.kit.llm_provider import HELLO, failing
from tests.kit.llm_streams import Answer as Said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("clients-matrix")]

PAIR = [pytest.mark.parametrize("client", sorted(ASK)), pytest.mark.parametrize("upstream", sorted(UPSTREAMS))]


def every(test: Any) -> Any:
    for mark in PAIR:
        test = mark(test)
    return test


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _shared() -> AsyncIterator[World]:
    async with every_pair() as world:
        yield world


@pytest.fixture
def world(_shared: World) -> World:
    _shared.reset()
    return _shared


def heard_of(said: Said) -> tuple[object, ...]:
    fresh, read, written, spoken, thought = said.usage
    usage = (fresh + read + written, spoken + thought, read)
    return "".join(said.texts), "".join(said.thoughts), said.calls, said.finish, usage


@every
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_clients_hear_what_providers_say(world: World, client: str, upstream: str, stream: bool) -> None:
    offered = tools(client, "get_weather", "get_time")
    for name, said in SAYS.items():
        world.providers[upstream].script = lambda _, said=said: said  # type: ignore[misc]
        heard = await ASK[client](world, question(client, UPSTREAMS[upstream], tools=offered), stream=stream)
        assert (heard.text, heard.thought, heard.calls, heard.stop, heard.usage) == heard_of(said), name


@every
async def test_providers_hear_the_whole_conversation(world: World, client: str, upstream: str) -> None:
    provider, model = world.providers[upstream], UPSTREAMS[upstream]
    provider.script = lambda asked: HELLO if "rain" in str(asked) else SAYS["parallel calls"]
    offered = tools(client, "get_weather", "get_time")
    first = await ASK[client](world, question(client, model, tools=offered), stream=True)
    turns = [*first.turn, *results(client, first.turn, "rain", "noon"), *first_picture(client, upstream)]
    second = await ASK[client](world, question(client, model, turns, tools=offered), stream=False)
    assert second.text == "It rains."
    body = str(provider.bodies[-1])
    assert body.index("'rain'") < body.index("'noon'")
    assert PNG in body
    assert body.count("Paris") == body.count("Oslo") == 1


def first_picture(client: str, upstream: str) -> list[Json]:
    # Two user turns in a row: translations join them where they must; in a pass-through the client must join them.
    if client == upstream == "messages":
        return [{"role": "assistant", "content": "I see."}, *picture(client)]
    return picture(client)


@every
async def test_a_schema_for_the_answer_arrives(world: World, client: str, upstream: str) -> None:
    provider = world.providers[upstream]
    provider.script = lambda _: replace(HELLO, texts=['{"city":"Paris"}'])
    heard = await ASK[client](world, question(client, UPSTREAMS[upstream], **structured(client)), stream=False)
    assert orjson.loads(heard.text) == {"city": "Paris"}
    asked = provider.bodies[-1]
    if upstream == "converse":  # It has a schema as text.
        asked = orjson.loads(asked["outputConfig"]["textFormat"]["structure"]["jsonSchema"]["schema"])
    assert str(SCHEMA) in str(asked)


@every
async def test_reasoning_goes_back_to_whoever_can_read_it(world: World, client: str, upstream: str) -> None:
    provider, model = world.providers[upstream], UPSTREAMS[upstream]
    thinking = replace(SAYS["parallel calls"], thoughts=["Is it wet?"], signature="c2ln")
    provider.script = lambda asked: HELLO if "rain" in str(asked) else thinking
    offered = tools(client, "get_weather", "get_time")
    first = await ASK[client](world, question(client, model, tools=offered), stream=True)
    turns = [*first.turn, *results(client, first.turn, "rain", "noon")]
    if client == "chat_completions" == upstream:
        turns[0] = {name: value for name, value in turns[0].items() if not name.startswith("reasoning")}  # passed as it is
    second = await ASK[client](world, question(client, model, turns, tools=offered), stream=True)
    assert second.text == "It rains."
    sent = str(provider.bodies[-1])
    assert ("c2ln" in sent) is (upstream != "chat_completions")


RAISED: dict[int, tuple[type[Exception], type[Exception]]] = {
    400: (openai.BadRequestError, anthropic.BadRequestError),
    401: (openai.AuthenticationError, anthropic.AuthenticationError),
    403: (openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    404: (openai.NotFoundError, anthropic.NotFoundError),
    413: (openai.APIStatusError, anthropic.RequestTooLargeError),
    422: (openai.UnprocessableEntityError, anthropic.UnprocessableEntityError),
    429: (openai.RateLimitError, anthropic.RateLimitError),
    500: (openai.InternalServerError, anthropic.InternalServerError),
    529: (openai.InternalServerError, anthropic.OverloadedError),
}


@every
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_errors_are_those_that_the_clients_users_expect(world: World, client: str, upstream: str, stream: bool) -> None:
    error: Json = {"error": {"type": "invalid_request_error", "message": "the provider's own words"}}
    if upstream == "messages":
        error = {"type": "error", **error}
    elif upstream == "converse":
        error = {"message": error["error"]["message"]}
    for status in STATUSES:
        of_openai, of_anthropic = RAISED[status]
        world.providers[upstream].behaves = failing(status, error, retry_after="7")
        expected = of_anthropic if client == "messages" else of_openai
        with pytest.raises(expected, match="the provider's own words") as raised:
            await ASK[client](world, question(client, UPSTREAMS[upstream]), stream=stream)
        assert raised.value.status_code == status  # type: ignore[attr-defined]
        assert raised.value.response.headers["retry-after"] == "7"  # type: ignore[attr-defined]


@pytest.mark.parametrize("upstream", sorted(UPSTREAMS))
@pytest.mark.parametrize("model_class", [OpenAIChatCompletionsModel, OpenAIResponsesModel])
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
async def test_agents_of_openai_run_with_tools(world: World, upstream: str, model_class: Any, stream: bool) -> None:
    provider = world.providers[upstream]
    provider.script = lambda asked: HELLO if "rain" in str(asked) else SAYS["parallel calls"]
    asked: list[str] = []

    @function_tool
    def get_weather(city: str) -> str:
        asked.append(city)
        return "rain"

    @function_tool
    def get_time(city: str) -> str:
        asked.append(city)
        return "noon"

    model = model_class(model=UPSTREAMS[upstream], openai_client=world.openai)
    agent = Agent(name="helper", instructions="Help.", model=model, tools=[get_weather, get_time])
    untraced = RunConfig(tracing_disabled=True)
    if stream:
        run = Runner.run_streamed(agent, "How is the weather?", run_config=untraced)
        async for _ in run.stream_events():
            pass
        output = run.final_output
    else:
        output = (await Runner.run(agent, "How is the weather?", run_config=untraced)).final_output
    assert (output, sorted(asked)) == ("It rains.", ["Oslo", "Paris"])
