import httpx
import openai
import pytest
from openai import AsyncOpenAI
from openai.types.chat import ChatCompletionMessageParam

from demos.travel_booking.agents import prompts
from tests.demos.conftest import KEY

WEATHER_QUESTION: list[ChatCompletionMessageParam] = [
    {"role": "system", "content": prompts.LOCATION},
    {"role": "user", "content": "What's the weather in London?"},
]


def client(url: str, key: str = KEY) -> AsyncOpenAI:
    return AsyncOpenAI(base_url=f"{url}/v1", api_key=key, max_retries=0)


async def test_extracts(stand_in: str) -> None:
    async with client(stand_in) as provider:
        completion = await provider.chat.completions.create(model="gpt-4o-mini", messages=WEATHER_QUESTION)
    assert completion.choices[0].message.content == "London"
    assert completion.model == "gpt-4o-mini"
    assert completion.usage is not None
    assert completion.usage.total_tokens == completion.usage.prompt_tokens + 1


async def test_streams_the_same_text_with_usage(stand_in: str) -> None:
    messages: list[ChatCompletionMessageParam] = [{"role": "system", "content": '{"problem": "Two  words."}'}]
    async with client(stand_in) as provider:
        whole = await provider.chat.completions.create(model="gpt-4o", messages=messages)
        stream = await provider.chat.completions.create(
            model="gpt-4o", messages=messages, stream=True, stream_options={"include_usage": True}
        )
        chunks = [chunk async for chunk in stream]
    streamed = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert streamed == whole.choices[0].message.content == "I cannot answer that. Two  words."
    assert chunks[-1].usage == whole.usage


async def test_says_that_it_is_no_model(stand_in: str) -> None:
    async with client(stand_in) as provider:
        completion = await provider.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "Hello"}])
    assert "stand-in" in (completion.choices[0].message.content or "")


@pytest.mark.parametrize("key", ["wrong", "EMPTY"])
async def test_wrong_key_is_a_401(stand_in: str, key: str) -> None:
    async with client(stand_in, key) as provider:
        with pytest.raises(openai.AuthenticationError) as refused:
            await provider.chat.completions.create(model="gpt-4o", messages=WEATHER_QUESTION)
        with pytest.raises(openai.AuthenticationError):
            await provider.models.list()
    assert refused.value.code == "invalid_api_key"


async def test_unknown_model_is_a_404(stand_in: str) -> None:
    async with client(stand_in) as provider:
        with pytest.raises(openai.NotFoundError) as refused:
            await provider.chat.completions.create(model="openai/gpt-4o", messages=WEATHER_QUESTION)
        assert [model.id async for model in provider.models.list()] == ["gpt-4o", "gpt-4o-mini"]
    assert refused.value.code == "model_not_found"


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"model": "gpt-4o"}', b'{"model": "gpt-4o", "messages": [1]}'])
async def test_bad_body_is_a_400(stand_in: str, body: bytes) -> None:
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {KEY}"}) as http:
        response = await http.post(f"{stand_in}/v1/chat/completions", content=body)
    assert (response.status_code, response.json()["error"]["type"]) == (400, "invalid_request_error")
