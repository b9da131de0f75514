"""The HTTP side of the parts: agents and the model speak Chat Completions, filters the gateway's filter contract."""

import json
import time
from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from demos.patterns.parts.agents import AGENTS, Agent
from demos.patterns.parts.classifier import classify
from demos.patterns.parts.filters import FILTERS, Masker, Refused

PIECE = 4
"""Characters of each event of a stream: fewer than a placeholder has, so that every placeholder is split."""


def build_app() -> FastAPI:
    """Build the server of all agents, filters and the classifying model."""
    app = FastAPI(title="parts of the patterns", openapi_url=None)
    masker = Masker()

    @app.get("/healthz")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/agents/{name}/v1/chat/completions")
    async def agent(name: str, request: Request) -> Response:
        return _complete(AGENTS[name], await request.json())

    @app.post("/v1/chat/completions")
    async def model(request: Request) -> Response:
        return _complete(classify, await request.json())

    @app.post("/filters/mask/{path:path}")
    async def mask(request: Request) -> Response:
        return JSONResponse(masker.mask(await request.json(), request.headers["x-request-id"]))

    @app.post("/filters/unmask/{path:path}")
    async def unmask(request: Request) -> Response:
        answer = masker.unmask((await request.body()).decode(), request.headers["x-request-id"])
        return Response(answer, media_type=request.headers["content-type"])

    @app.post("/filters/{name}/{path:path}")
    async def other_filter(name: str, request: Request) -> Response:
        try:
            return JSONResponse(FILTERS[name](await request.json()))
        except Refused as refused:
            return JSONResponse({"error": {"message": str(refused)}}, 403)

    return app


def _complete(agent: Agent, body: Any) -> Response:
    text = agent(body["messages"])
    head = {"id": "chatcmpl-1", "created": int(time.time()), "model": body.get("model", "rules")}
    if body.get("stream"):
        return StreamingResponse(_events({**head, "object": "chat.completion.chunk"}, text), media_type="text/event-stream")
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    return JSONResponse({**head, "object": "chat.completion", "choices": [choice]})


def _events(head: dict[str, Any], text: str) -> Iterator[str]:
    for start in range(0, len(text), PIECE):
        yield _event(head, {"content": text[start : start + PIECE]}, None)
    yield _event(head, {}, "stop")
    yield "data: [DONE]\n\n"


def _event(head: dict[str, Any], delta: dict[str, str], finish_reason: str | None) -> str:
    return f"data: {json.dumps({**head, 'choices': [{'index': 0, 'delta': delta, 'finish_reason': finish_reason}]})}\n\n"
