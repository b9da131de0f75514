"""The official `openai-agents` package: its runs through the model listener, and with an agent of the gateway as the model."""

from typing import Literal

import pytest
from agents import Agent, OpenAIChatCompletionsModel, OpenAIResponsesModel, RunConfig, Runner, function_tool
from openai import AsyncOpenAI

from tests.clients.conftest import Clients
from tests.clients.speaking import TEXT, WORDS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("clients")]

Api = Literal["chat", "responses"]
UNTRACED = RunConfig(tracing_disabled=True)
BOTH = pytest.mark.parametrize("listener", ["models", "travel"])
EACH_API = pytest.mark.parametrize("api", ["chat", "responses"])


def agent(client: AsyncOpenAI, api: Api) -> Agent:
    model = OpenAIChatCompletionsModel if api == "chat" else OpenAIResponsesModel
    return Agent(name="helper", instructions="Help.", model=model(model="fast", openai_client=client))


@BOTH
@EACH_API
async def test_a_run(clients: Clients, listener: str, api: Api) -> None:
    async with clients.openai(listener) as client:
        result = await Runner.run(agent(client, api), "Will it rain?", run_config=UNTRACED)
    assert result.final_output == TEXT


@BOTH
@EACH_API
async def test_a_streamed_run(clients: Clients, listener: str, api: Api) -> None:
    async with clients.openai(listener) as client:
        run = Runner.run_streamed(agent(client, api), "Will it rain?", run_config=UNTRACED)
        events = [event.data async for event in run.stream_events() if event.type == "raw_response_event"]
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == list(WORDS)


async def test_a_run_with_a_tool(clients: Clients) -> None:
    asked: list[str] = []

    @function_tool
    def weather(city: str) -> str:
        asked.append(city)
        return "rain"

    async with clients.openai("models") as client:
        helper = agent(client, "chat")
        helper.tools = [weather]
        result = await Runner.run(helper, "Will it rain?", run_config=UNTRACED)
    assert (asked, result.final_output) == (["Seattle"], TEXT)
    assert [message["role"] for message in clients.provider.last_json["messages"]] == ["system", "user", "assistant", "tool"]
