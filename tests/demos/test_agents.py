import json
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai import AsyncOpenAI

from demos.travel_booking.agents.conversation import BadRequest, parse_request
from tests.demos.conftest import Demo


def conversation(*texts: str) -> list[Any]:
    return [{"role": ("user", "assistant")[index % 2], "content": text} for index, text in enumerate(texts)]


def _nested(children: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.sampled_from(["messages", "role", "content", "type", "text", "stream", "temperature", "user", "other"])
    return st.lists(children) | st.dictionaries(names, children)


async def answer(url: str, *texts: str) -> str:
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="x", max_retries=0) as client:
        stream = await client.chat.completions.create(model="travel", messages=conversation(*texts), stream=True)
        return "".join([chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices])


async def post(url: str, body: object) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await client.post(f"{url}/v1/chat/completions", content=content)


WEATHER, FLIGHT, CURRENCY = "weather_agent", "flight_agent", "currency_agent"
CASES = [
    (WEATHER, ["What's the weather in London?"], ["London, United Kingdom", "11.4 °C (52.5 °F)", "sunrise 07:24"]),
    (WEATHER, ["Flights from London to Seattle?", "BA53.", "And the weather there?"], ["Seattle", "8.7 °C"]),
    (FLIGHT, ["What flights go from London to Seattle?"], ["London (LHR) to Seattle (SEA)", "BA53", "30 minutes late"]),
    (
        FLIGHT,
        ["What's the weather in London?", "Rain.", "Do they fly out from Seattle?"],
        ["Seattle (SEA) to London (LHR)", "BA52"],
    ),
    (FLIGHT, ["What's the weather in Istanbul?", "Fine.", "Do they fly out from Seattle?"], ["Istanbul (IST)", "TK204"]),
    (FLIGHT, ["Flights from Paris to Tokyo?"], ["no nonstop flights", "CDG", "HND"]),
    (CURRENCY, ["How much is 250 US dollars in euros?"], ["250 USD is 215.80 EUR"]),
    (CURRENCY, ["How many yen do I get for 200 pounds?"], ["200 GBP is 41260.00 JPY"]),
    (CURRENCY, ["I am going to Tokyo", "Nice!", "What are 100 USD in their currency?"], ["JPY"]),
]


@pytest.mark.parametrize(("agent", "turns", "parts"), CASES)
async def test_answers_with_the_recorded_data(demo: Demo, agent: str, turns: list[str], parts: list[str]) -> None:
    text = await answer(await demo.agent(agent), *turns)
    assert [part for part in parts if part not in text] == [], text


UNCLEAR = [
    (WEATHER, "Write me a haiku about databases", "found no place"),
    (WEATHER, "What's the weather in Atlantis?", "knows no place called Atlantis"),
    (FLIGHT, "Do they fly out from Seattle?", "to which city"),
    (FLIGHT, "Do you know any flights?", "between which cities"),
    (FLIGHT, "Flights from London to Atlantis", "No airport is known for Atlantis"),
    (CURRENCY, "How much is 100 USD?", "which two currencies"),
    (CURRENCY, "Convert 100 USD to PKR", "no exchange rate from USD to PKR"),
]


@pytest.mark.parametrize(("agent", "question", "reason"), UNCLEAR)
async def test_says_what_is_missing_instead_of_inventing(demo: Demo, agent: str, question: str, reason: str) -> None:
    assert reason in await answer(await demo.agent(agent), question)


@pytest.mark.parametrize(
    ("days", "question"), [(1, "weather in Paris"), (2, "weather in Paris tomorrow"), (5, "5 day forecast in Paris")]
)
async def test_forecast_has_the_days_asked_for(demo: Demo, days: int, question: str) -> None:
    text = await answer(await demo.agent(WEATHER), question)
    assert text.count("sunrise") == days


async def test_completion_is_json_when_not_streaming(demo: Demo) -> None:
    url = await demo.agent(CURRENCY)
    async with AsyncOpenAI(base_url=f"{url}/v1", api_key="x") as client:
        messages = conversation("Convert 10 EUR to USD")
        completion = await client.chat.completions.create(model="travel", messages=messages, max_tokens=3)
    assert completion.choices[0].message.content == "10 EUR is "
    assert completion.choices[0].finish_reason == "length"
    assert completion.usage is not None
    assert completion.usage.completion_tokens == 3


async def test_stream_has_openais_shape(demo: Demo) -> None:
    body = {"messages": conversation("Convert 10 EUR to USD"), "stream": True, "stream_options": {"include_usage": True}}
    response = await post(await demo.agent(CURRENCY), body)
    assert response.headers["content-type"].startswith("text/event-stream")
    events = response.text.split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""]
    chunks = [json.loads(event.removeprefix("data: ")) for event in events[:-2]]
    assert {chunk["object"] for chunk in chunks} == {"chat.completion.chunk"}
    assert chunks[-2]["choices"][0]["finish_reason"] == "stop"
    assert chunks[-1]["usage"]["completion_tokens"] > 0


async def test_models_are_asked_through_the_gateway(demo: Demo) -> None:
    url = await demo.agent(WEATHER)
    trace = {
        "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "x-request-id": "one",
        "cookie": "secret",
    }
    async with httpx.AsyncClient(headers=trace) as client:
        body = {"messages": conversation("weather in London"), "stream": True}
        await client.post(f"{url}/v1/chat/completions", json=body)
    assert [call["model"] for call in demo.gateway.bodies] == ["openai/gpt-4o-mini", "openai/gpt-4o"]
    for headers in demo.gateway.headers:
        assert headers["x-envoy-max-retries"] == "3"
        assert headers["traceparent"] == trace["traceparent"]
        assert headers["x-request-id"] == "one"
        assert "cookie" not in headers


async def test_only_the_last_ten_turns_are_sent(demo: Demo) -> None:
    turns = [f"turn {number}" for number in range(14)] + ["weather in London"]
    await answer(await demo.agent(WEATHER), *turns)
    sent = [message["content"] for message in demo.gateway.bodies[0]["messages"] if message["role"] != "system"]
    assert sent == turns[-10:]


BAD = [
    (b"{", None),
    (b"\xff", None),
    ([], None),
    ({}, "messages"),
    ({"messages": []}, "messages"),
    ({"messages": ["hello"]}, "messages[0]"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content"),
    ({"messages": [{"role": "user", "content": [{"type": "text", "text": 7}]}]}, "messages[0].content"),
    ({"messages": [{"role": "assistant", "content": "hello"}]}, "messages"),
    ({"messages": [{"role": "user", "content": " "}]}, "messages"),
    ({"messages": [{"role": "user", "content": "hello"}], "stream": "yes"}, "stream"),
    ({"messages": [{"role": "user", "content": "hello"}], "temperature": "hot"}, "temperature"),
    ({"messages": [{"role": "user", "content": "hello"}], "max_tokens": True}, "max_tokens"),
    ({"messages": [{"role": "user", "content": "half \ud800"}]}, "messages[0].content"),
    (b'{"messages": [{"role": "user", "content": "hello"}], "temperature": NaN}', None),
    (b"[" * 100_000, None),
]


@pytest.mark.parametrize(("body", "param"), BAD)
async def test_bad_input_is_a_400(demo: Demo, body: object, param: str | None) -> None:
    response = await post(await demo.agent(WEATHER), body)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert demo.gateway.bodies == []


async def test_what_the_model_refuses_is_a_400(demo: Demo) -> None:
    body = {"messages": conversation("Convert 10 EUR to USD"), "max_tokens": 0}
    response = await post(await demo.agent(CURRENCY), body)
    assert response.status_code == 400
    assert response.json()["error"]["param"] == "max_tokens"


@given(st.binary() | st.recursive(st.none() | st.booleans() | st.text(), _nested).map(json.dumps).map(str.encode))
def test_whatever_is_sent_is_read_or_refused(body: bytes) -> None:
    try:
        request = parse_request(body)
    except BadRequest:
        return
    assert request.question
    assert len(request.conversation) <= 10


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/v1/chat/completions", 405), ("POST", "/v1/else", 404)])
async def test_wrong_method_and_path(demo: Demo, method: str, path: str, status: int) -> None:
    url = await demo.agent(WEATHER)
    async with httpx.AsyncClient() as client:
        response = await client.request(method, url + path)
        health = await client.get(f"{url}/healthz")
    assert response.status_code == status
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert health.json() == {"status": "ok", "agent": WEATHER}
