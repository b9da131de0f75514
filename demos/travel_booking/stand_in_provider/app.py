"""The stand-in's HTTP side: OpenAI's chat completions and models, with its key check, error shapes, streaming and usage.

A wrong key is a 401: a run that works proves that the gateway put the right one in.
"""

import json
import re
import secrets
import time
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse

from demos.travel_booking.stand_in_provider.answers import answer
from demos.travel_booking.stand_in_provider.extraction import extract

MODELS = ("gpt-4o", "gpt-4o-mini")
Object = dict[str, Any]


class Refusal(Exception):
    """An answer in OpenAI's error shape."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}


def build_app(key: str) -> FastAPI:
    """Build the server; `key` is the only bearer token that it accepts."""
    app = FastAPI(title="stand-in provider", openapi_url=None)
    app.add_exception_handler(Refusal, _refused)

    @app.get("/healthz")
    async def healthz() -> Object:
        return {"status": "ok"}

    @app.get("/v1/models")
    async def models(request: Request) -> Object:
        _check_key(request, key)
        data = [{"id": name, "object": "model", "created": 0, "owned_by": "stand-in"} for name in MODELS]
        return {"object": "list", "data": data}

    @app.post("/v1/chat/completions")
    async def chat_completions(request: Request) -> Response:
        _check_key(request, key)
        body = _read(await request.body())
        words, finish_reason = _cut(reply(body["messages"]), _limit(body))
        head = {"id": f"chatcmpl-{secrets.token_hex(12)}", "created": int(time.time()), "model": body["model"]}
        usage = _usage(body["messages"], words)
        if not body.get("stream"):
            return JSONResponse(_completion(head, "".join(words), finish_reason, usage))
        wants_usage = _stream_options(body).get("include_usage")
        events = _events({**head, "object": "chat.completion.chunk"}, words, finish_reason, usage if wants_usage else None)
        return StreamingResponse(events, media_type="text/event-stream")

    return app


def reply(messages: Sequence[Object]) -> str:
    """Return what the stand-in says to a conversation: an extraction, or data put into words."""
    systems = [str(message.get("content")) for message in messages if message.get("role") == "system"]
    users = [str(message.get("content")) for message in messages if message.get("role") == "user"]
    extracted = extract(systems[0], users) if systems and users else None
    return extracted if extracted is not None else answer(systems[-1] if systems else "")


def _check_key(request: Request, key: str) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not secrets.compare_digest(token.encode(), key.encode()):
        raise Refusal(401, "Incorrect API key provided.", code="invalid_api_key")


def _read(raw: bytes) -> Object:
    try:
        body = json.loads(raw)
    except ValueError as error:
        raise Refusal(400, "We could not parse the JSON body of your request.") from error
    messages = body.get("messages") if isinstance(body, dict) else None
    if not isinstance(messages, list) or not messages or not all(isinstance(message, dict) for message in messages):
        raise Refusal(400, "Missing required parameter: 'messages'.", param="messages", code="missing_required_parameter")
    if body.get("model") not in MODELS:
        raise Refusal(404, f"The model `{body.get('model')}` does not exist.", code="model_not_found")
    return dict(body)


def _limit(body: Object) -> int | None:
    for name in ("max_completion_tokens", "max_tokens"):
        if (limit := body.get(name)) is not None:
            if not isinstance(limit, int) or limit < 1:
                raise Refusal(400, f"Invalid '{name}': must be an integer above 0.", param=name, code="invalid_value")
            return limit
    return None


def _stream_options(body: Object) -> Object:
    options = body.get("stream_options") or {}
    if not isinstance(options, dict):
        raise Refusal(400, "Invalid type for 'stream_options'.", param="stream_options", code="invalid_type")
    return options


def _cut(text: str, limit: int | None) -> tuple[list[str], str]:
    """Split a text into tokens (a word with the space after it), at most `limit` of them."""
    words = re.findall(r"\S+\s*|\s+", text)
    return (words[:limit], "length") if limit and len(words) > limit else (words, "stop")


def _usage(messages: Sequence[Object], words: Sequence[str]) -> Object:
    read = sum(len(str(message.get("content")).split()) for message in messages)
    return {"prompt_tokens": read, "completion_tokens": len(words), "total_tokens": read + len(words)}


def _completion(head: Object, text: str, finish_reason: str, usage: Object) -> Object:
    message = {"role": "assistant", "content": text, "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": finish_reason}
    return {**head, "object": "chat.completion", "choices": [choice], "usage": usage}


async def _events(head: Object, words: Sequence[str], finish_reason: str, usage: Object | None) -> AsyncIterator[bytes]:
    yield _event(head, [_choice({"role": "assistant", "content": ""})])
    for word in words:
        yield _event(head, [_choice({"content": word})])
    yield _event(head, [_choice({}, finish_reason)])
    if usage is not None:
        yield _event({**head, "usage": usage}, [])
    yield b"data: [DONE]\n\n"


def _choice(delta: Object, finish_reason: str | None = None) -> Object:
    return {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}


def _event(head: Object, choices: list[Object]) -> bytes:
    return f"data: {json.dumps({**head, 'choices': choices})}\n\n".encode()


async def _refused(_: Request, refusal: Exception) -> Response:
    assert isinstance(refusal, Refusal)
    return JSONResponse(refusal.body, refusal.status)
