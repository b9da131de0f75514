"""What stands between agents and provider in these tests, in the gateway's place."""

import json
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class AsGateway:
    """Does to a model request what the gateway does: puts the provider's key in and takes the prefix off `model`."""

    def __init__(self, provider: ASGIApp, key: str) -> None:
        self._provider = provider
        self._key = key
        self.headers: list[dict[str, str]] = []
        """Headers of each model request, as the agent sent them."""
        self.bodies: list[dict[str, Any]] = []
        """Bodies of each model request, as the agent sent them."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._provider(scope, receive, send)
            return
        self.headers.append({name.decode(): value.decode() for name, value in scope["headers"]})
        self.bodies.append(json.loads(await _read(receive)))
        renamed = json.dumps({**self.bodies[-1], "model": self.bodies[-1]["model"].removeprefix("openai/")}).encode()
        kept = [pair for pair in scope["headers"] if pair[0] not in (b"authorization", b"content-length")]
        scope["headers"] = [*kept, (b"authorization", f"Bearer {self._key}".encode())]
        waiting: list[Message] = [{"type": "http.request", "body": renamed, "more_body": False}]

        async def replay() -> Message:
            return waiting.pop() if waiting else await receive()

        await self._provider(scope, replay, send)


async def _read(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body
