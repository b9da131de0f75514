"""An agent's HTTP service: POST /v1/chat/completions in OpenAI's shape, streamed or not, and GET /healthz.

The answering model's stream is opened before the response begins, so that a model that cannot be reached is an error status and
not a broken stream. What goes wrong later becomes an error event, as OpenAI sends it.
"""

import json
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import openai
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from openai import AsyncStream
from openai.types.chat import ChatCompletionChunk
from starlette.exceptions import HTTPException

from demos.travel_booking.agents.agent import Agent
from demos.travel_booking.agents.conversation import BadRequest, ChatRequest, parse_request
from demos.travel_booking.agents.models import Models, build_client
from demos.travel_booking.agents.settings import Settings
from demos.travel_booking.apis.http import JsonObject
from demos.travel_booking.apis.problem import Problem

logger = logging.getLogger(__name__)
UNREACHABLE = "The agent could not reach its language model. Please try again."


def build_service(agent: Agent, settings: Settings) -> FastAPI:
    """Build the service of one agent."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with httpx.AsyncClient(timeout=20) as http, build_client(settings.llm_gateway) as client:
            app.state.http, app.state.client = http, client
            yield

    app = FastAPI(title=agent.id, lifespan=lifespan, openapi_url=None)
    app.add_exception_handler(BadRequest, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(openai.APIError, _model_error)

    @app.get("/healthz")
    async def healthz() -> JsonObject:
        return {"status": "ok", "agent": agent.id}

    @app.post("/v1/chat/completions")
    async def chat_completions(incoming: Request) -> Response:
        request = parse_request(await incoming.body())
        models = Models(incoming.app.state.client, incoming.headers)
        data = await _data(agent, request, models, incoming.app.state.http, settings)
        if not request.is_streaming:
            completion = await models.answer(agent.answer_prompt, request, data)
            return JSONResponse(completion.model_dump(exclude_unset=True))
        stream = await models.stream_answer(agent.answer_prompt, request, data)
        return StreamingResponse(_events(stream), media_type="text/event-stream", headers={"cache-control": "no-cache"})

    return app


async def _data(agent: Agent, request: ChatRequest, models: Models, http: httpx.AsyncClient, settings: Settings) -> JsonObject:
    try:
        return await agent.gather(request, models, http, settings)
    except Problem as problem:
        return {"problem": str(problem)}


async def _events(stream: AsyncStream[ChatCompletionChunk]) -> AsyncIterator[bytes]:
    try:
        async with stream:
            async for chunk in stream:
                yield _event(chunk.model_dump(exclude_unset=True))
        yield b"data: [DONE]\n\n"
    except (openai.OpenAIError, ValueError) as error:
        # ValueError: an event of the stream was not JSON.
        logger.warning("answer was cut off: %s", type(error).__name__)
        yield _event(_error("The answer was cut off: the language model's stream broke.", "server_error"))


def _event(body: JsonObject) -> bytes:
    return f"data: {json.dumps(body)}\n\n".encode()


def _error(message: str, kind: str, *, param: str | None = None, code: str | None = None) -> JsonObject:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


async def _bad_request(_: Request, error: Exception) -> Response:
    assert isinstance(error, BadRequest)
    return JSONResponse(_error(str(error), "invalid_request_error", param=error.param), 400)


async def _http_error(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return JSONResponse(_error(error.detail, "invalid_request_error"), error.status_code, dict(error.headers or {}))


async def _model_error(_: Request, error: Exception) -> Response:
    """Answer for a model that failed: what the client can mend keeps its status, the rest is a bad gateway."""
    logger.warning("language model failed: %s", type(error).__name__)
    if isinstance(error, openai.BadRequestError):
        return JSONResponse(
            _error("The language model did not accept this request.", "invalid_request_error", param=error.param), 400
        )
    if isinstance(error, openai.RateLimitError):
        wait = {name: error.response.headers[name] for name in ("retry-after",) if name in error.response.headers}
        return JSONResponse(_error("The language model is busy.", "rate_limit_error", code="rate_limited"), 429, wait)
    status = 504 if isinstance(error, openai.APITimeoutError) else 502
    return JSONResponse(_error(UNREACHABLE, "server_error", code="model_unavailable"), status)
