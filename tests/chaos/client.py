"""A client of one of three APIs that asks once and keeps all it can see: no library hides a defect from it."""

import asyncio
import json
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

CHAT, MESSAGES, RESPONSES = "/v1/chat/completions", "/v1/messages", "/v1/responses"
HANG_SECONDS = 25.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request."""

    number: int
    url: str
    path: str
    body: dict[str, Any]
    is_for_agent: bool

    @property
    def is_streamed(self) -> bool:
        """Whether the answer is to come as events."""
        return bool(self.body.get("stream"))


@dataclass(slots=True, kw_only=True)
class Seen:
    """What came back."""

    status: int = 0
    """0: no answer began."""
    headers: httpx.Headers = field(default_factory=httpx.Headers)
    body: bytes = b""
    broken: str = ""
    """How the connection failed before the answer had ended."""
    hung: bool = False
    seconds: float = 0.0


async def ask(http: httpx.AsyncClient, request: Request) -> Seen:
    """Ask, and read to the end, however it ends."""
    seen, started = Seen(), time.monotonic()
    try:
        async with asyncio.timeout(HANG_SECONDS):
            await _read(http, request, seen)
    except TimeoutError:
        seen.hung = True
    except httpx.TransportError as error:
        seen.broken = repr(error)
    seen.seconds = time.monotonic() - started
    return seen


async def _read(http: httpx.AsyncClient, request: Request, seen: Seen) -> None:
    async with http.stream("POST", f"{request.url}{request.path}", json=request.body) as answer:
        seen.status, seen.headers = answer.status_code, answer.headers
        async for chunk in answer.aiter_raw():
            seen.body += chunk


@dataclass(slots=True)
class Told:
    """What an answer says, as a client of its API understands it."""

    text: str = ""
    is_complete: bool = False
    error: str = ""
    """Message of an error event."""
    models: set[str] = field(default_factory=set)
    """Who says that it speaks."""
    damaged: str = ""
    """An event, or a body, that is no JSON."""


def read_whole(path: str, body: bytes) -> Told:
    """Understand a body."""
    try:
        said = json.loads(body)
    except ValueError:
        return Told(damaged=body.decode(errors="replace"))
    if path == MESSAGES:
        text = "".join(block["text"] for block in said["content"])
        return Told(text, is_complete=said["stop_reason"] == "end_turn", models={said["model"]})
    if path == RESPONSES:
        text = "".join(part["text"] for item in said["output"] for part in item["content"])
        return Told(text, is_complete=said["status"] == "completed", models={said["model"]})
    choice = said["choices"][0]
    is_complete = choice["finish_reason"] == "stop"
    return Told(choice["message"]["content"], is_complete=is_complete, models={said["model"]})


def read_stream(path: str, body: bytes) -> Told:
    """Understand the events of a stream; one without its blank line never came."""
    told = Told()
    *events, _rest = body.split(b"\n\n")
    for event in events:
        data = b"\n".join(line[6:] for line in event.splitlines() if line.startswith(b"data: "))
        if not data or data == b"[DONE]":
            continue
        try:
            _understand(path, json.loads(data), told)
        except ValueError:
            told.damaged = told.damaged or data.decode(errors="replace")
    return told


def _understand(path: str, event: dict[str, Any], told: Told) -> None:
    if event.get("error") or event.get("type") == "error":
        told.error = json.dumps(event)
        return
    holders = (event, event.get("message", {}), event.get("response", {}))
    told.models |= {holder["model"] for holder in holders if "model" in holder}
    if path == MESSAGES:
        if event["type"] == "content_block_delta":
            told.text += event["delta"]["text"]
        told.is_complete |= event["type"] == "message_stop"
    elif path == RESPONSES:
        if event["type"] == "response.output_text.delta":
            told.text += event["delta"]
        told.is_complete |= event["type"] == "response.completed"
    else:
        for choice in event["choices"]:
            told.text += choice["delta"].get("content") or ""
            told.is_complete |= choice.get("finish_reason") == "stop"
