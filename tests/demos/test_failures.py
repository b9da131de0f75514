"""What a traveller is told when something behind an agent fails."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from tests.demos.conftest import Demo
from tests.demos.test_agents import CURRENCY, FLIGHT, WEATHER, answer, conversation, post
from tests.kit.asgi_server import serve

Endpoint = Callable[[Request], Awaitable[Response]]
NOBODY = "http://127.0.0.1:1"


def always(response: Callable[[], Response]) -> Starlette:
    async def endpoint(_: Request) -> Response:
        return response()

    return Starlette(routes=[Route("/{path:path}", endpoint, methods=["GET", "POST"])])


API_FAILURES = [
    (lambda: PlainTextResponse("oops", 500), "status 500"),
    (lambda: JSONResponse({}, 401), "did not accept this service's key"),
    (lambda: PlainTextResponse("<html>"), "not JSON"),
    (lambda: JSONResponse([]), "unknown form"),
    (lambda: JSONResponse({"results": [{}], "flights": [7], "rates": {}}), "could not be read"),
]
CALLS = [
    (WEATHER, "geocoding", "weather in London"),
    (FLIGHT, "aeroapi", "flights from London to Seattle"),
    (CURRENCY, "frankfurter", "10 EUR in USD"),
]


@pytest.mark.parametrize(("agent", "api", "question"), CALLS)
@pytest.mark.parametrize(("response", "reason"), API_FAILURES)
async def test_a_failing_api_is_named(
    demo: Demo, agent: str, api: str, question: str, response: Callable[[], Response], reason: str
) -> None:
    async with serve(always(response)) as url:
        text = await answer(await demo.agent(agent, **{api: url}), question)
    assert text.startswith("I cannot answer that.")
    assert reason in text


@pytest.mark.parametrize(("agent", "api", "question"), CALLS)
async def test_an_unreachable_api_is_named(demo: Demo, agent: str, api: str, question: str) -> None:
    assert "could not be reached" in await answer(await demo.agent(agent, **{api: NOBODY}), question)


async def test_flights_need_a_key(demo: Demo) -> None:
    assert "AEROAPI_KEY" in await answer(await demo.agent(FLIGHT, aeroapi_key=None), "flights from London to Seattle")


async def test_flights_too_far_ahead(demo: Demo) -> None:
    assert "2 days ahead" in await answer(await demo.agent(FLIGHT), "flights from London to Seattle on 2099-01-01")


@pytest.mark.parametrize("stream", [True, False])
async def test_an_unreachable_model_is_a_502(demo: Demo, *, stream: bool) -> None:
    response = await post(await demo.agent(WEATHER, llm_gateway=NOBODY), {"messages": conversation("hi"), "stream": stream})
    assert response.status_code == 502
    assert response.json()["error"]["code"] == "model_unavailable"


async def test_a_busy_model_is_a_429_that_says_when(demo: Demo) -> None:
    busy = always(lambda: JSONResponse({"error": {"message": "slow down"}}, 429, {"retry-after": "7"}))
    async with serve(busy) as url:
        response = await post(await demo.agent(WEATHER, llm_gateway=url), {"messages": conversation("hi")})
    assert (response.status_code, response.headers["retry-after"]) == (429, "7")


async def test_a_stream_that_is_cut_ends_in_an_error_event(demo: Demo) -> None:
    def answer_of(request: Request) -> Response:
        if request.headers["x-asked"] == "stream":
            return StreamingResponse(
                iter([b'data: {"choices": []}\n\n', b"data: {nonsense\n\n"]), media_type="text/event-stream"
            )
        return JSONResponse({"choices": [{"message": {"role": "assistant", "content": "NOT_FOUND"}}]})

    async def endpoint(request: Request) -> Response:
        kind = "stream" if (await request.json()).get("stream") else "extraction"
        request.scope["headers"].append((b"x-asked", kind.encode()))
        return answer_of(Request(request.scope))

    provider = Starlette(routes=[Route("/chat/completions", endpoint, methods=["POST"])])
    async with serve(provider) as url:
        response = await post(await demo.agent(WEATHER, llm_gateway=url), {"messages": conversation("hi"), "stream": True})
    assert response.status_code == 200
    assert '"message": "The answer was cut off' in response.text
    assert "[DONE]" not in response.text
