"""The official `openai` package as a client of both kinds of listeners."""

import openai
import pytest
from openai.types.chat import ChatCompletionUserMessageParam

from tests.clients.conftest import SECRETS, Clients
from tests.clients.speaking import TEXT, WORDS

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.xdist_group("clients")]

LISTENERS = ("models", "travel")


def saying(text: str) -> list[ChatCompletionUserMessageParam]:
    return [{"role": "user", "content": text}]


@pytest.mark.parametrize("listener", LISTENERS)
async def test_chat(clients: Clients, listener: str) -> None:
    async with clients.openai(listener) as client:
        answer = await client.chat.completions.create(model="fast", messages=saying("Will it rain?"))
    assert answer.choices[0].message.content == TEXT
    assert answer.usage
    assert answer.usage.total_tokens == 7


@pytest.mark.parametrize("listener", LISTENERS)
async def test_chat_streamed(clients: Clients, listener: str) -> None:
    async with clients.openai(listener) as client:
        stream = await client.chat.completions.create(model="fast", messages=saying("Will it rain?"), stream=True)
        words = [chunk.choices[0].delta.content async for chunk in stream if chunk.choices]
    assert words == [*WORDS, None]


async def test_the_response_says_who_answered(clients: Clients) -> None:
    async with clients.openai("travel") as client:
        raw = await client.chat.completions.with_raw_response.create(model="fast", messages=saying("Will it rain?"))
    assert raw.headers["x-plano-agent"] == "weather"
    # The second as soon as the agents' descriptions are embedded.
    assert raw.headers["x-plano-decision"].partition(";")[0] in ("built_in_router", "semantic")
    assert raw.parse().choices[0].message.content == TEXT


@pytest.mark.parametrize("listener", LISTENERS)
async def test_responses(clients: Clients, listener: str) -> None:
    async with clients.openai(listener) as client:
        answer = await client.responses.create(model="fast", input="Will it rain?")
    assert answer.output_text == TEXT


@pytest.mark.parametrize("listener", LISTENERS)
async def test_responses_streamed(clients: Clients, listener: str) -> None:
    async with clients.openai(listener) as client:
        stream = await client.responses.create(model="fast", input="Will it rain?", stream=True)
        events = [event async for event in stream]
    assert [event.delta for event in events if event.type == "response.output_text.delta"] == list(WORDS)
    assert events[-1].type == "response.completed"


async def test_embeddings(clients: Clients) -> None:
    async with clients.openai("models") as client:
        answer = await client.embeddings.create(model="text-embedding-3-small", input="rain", encoding_format="float")
    assert answer.data[0].embedding == [0.5, -0.25]
    assert clients.provider.last_json["model"] == "text-embedding-3-small"


async def test_models(clients: Clients) -> None:
    async with clients.openai("models") as client:
        ids = [model.id async for model in client.models.list()]
    assert {"openai/gpt-4o", "openai/text-embedding-3-small", "anthropic/claude", "fast"} <= set(ids)


async def test_the_gateways_key_not_the_clients(clients: Clients) -> None:
    async with clients.openai("models") as client:
        await client.chat.completions.create(model="gpt-4o", messages=saying("hi"))
    assert clients.provider.last.headers["authorization"] == f"Bearer {SECRETS['OPENAI_KEY']}"


async def test_an_unknown_model(clients: Clients) -> None:
    async with clients.openai("models") as client:
        with pytest.raises(openai.NotFoundError) as raised:
            await client.chat.completions.create(model="nobody/knows", messages=saying("hi"))
    assert (raised.value.code, raised.value.param, raised.value.type) == ("model_not_found", "model", "invalid_request_error")
    assert "nobody/knows" in raised.value.message


async def test_a_missing_model_without_a_default(clients: Clients) -> None:
    async with clients.openai("models") as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.chat.completions.create(model="", messages=saying("hi"))
    assert (raised.value.param, raised.value.code) == ("model", "missing_required_parameter")


async def test_a_bad_request_names_the_field(clients: Clients) -> None:
    async with clients.openai("travel") as client:
        with pytest.raises(openai.BadRequestError) as raised:
            await client.chat.completions.create(model="fast", messages=[])
    assert raised.value.param == "messages"


@pytest.mark.parametrize("listener", LISTENERS)
@pytest.mark.parametrize(
    ("status", "error"),
    [
        (400, openai.BadRequestError),
        (401, openai.AuthenticationError),
        (403, openai.PermissionDeniedError),
        (429, openai.RateLimitError),
        (500, openai.InternalServerError),
    ],
)
async def test_errors_of_whoever_answers_pass_through(
    clients: Clients, listener: str, status: int, error: type[openai.APIStatusError]
) -> None:
    async with clients.openai(listener) as client:
        with pytest.raises(error) as raised:
            await client.chat.completions.create(model="fast", messages=saying(f"fail {status}"))
    assert (raised.value.status_code, raised.value.code, raised.value.body) == (
        status,
        "my_code",
        {"type": "x_error", "message": "mine", "param": None, "code": "my_code"},
    )


async def test_a_path_that_is_not_served(clients: Clients) -> None:
    async with clients.openai("travel") as client:
        with pytest.raises(openai.NotFoundError) as raised:
            await client.embeddings.create(model="text-embedding-3-small", input="rain")
    assert raised.value.code == "unknown_url"
