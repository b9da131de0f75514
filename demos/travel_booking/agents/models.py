"""The agents' model calls, all through the gateway's model listener with the official OpenAI client.

The smaller model extracts, the larger one answers. The gateway holds the provider's key and does the retries, so the client
here has neither; the trace and the request id of the incoming request travel along.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from openai import AsyncOpenAI, AsyncStream
from openai.types.chat import ChatCompletion, ChatCompletionChunk, ChatCompletionMessageParam

from demos.travel_booking.agents.conversation import ChatRequest, Message
from demos.travel_booking.apis.http import JsonObject

EXTRACTION_MODEL = "openai/gpt-4o-mini"
ANSWER_MODEL = "openai/gpt-4o"
MAX_RETRIES = "3"
FORWARDED_HEADERS = ("traceparent", "tracestate", "x-request-id")


def build_client(base_url: str) -> AsyncOpenAI:
    """Return a client of the gateway."""
    return AsyncOpenAI(base_url=base_url, api_key="the-gateway-has-the-key", max_retries=0, timeout=60)


class Models:
    """The two models, for one incoming request."""

    def __init__(self, client: AsyncOpenAI, incoming: Mapping[str, str]) -> None:
        self._client = client
        self._headers = {name: incoming[name] for name in FORWARDED_HEADERS if name in incoming}
        self._headers["x-envoy-max-retries"] = MAX_RETRIES

    async def extract(self, prompt: str, conversation: Sequence[Message]) -> str:
        """Ask the smaller model for one fact of the conversation."""
        completion = await self._client.chat.completions.create(
            model=EXTRACTION_MODEL,
            messages=[_system(prompt), *map(_turn, conversation)],
            temperature=0,
            max_tokens=100,
            extra_headers=self._headers,
        )
        content = completion.choices[0].message.content if completion.choices else None
        return (content or "").strip().strip("\"'`.!?")

    async def extract_object(self, prompt: str, conversation: Sequence[Message]) -> JsonObject:
        """Ask the smaller model for a JSON object; prose or a code fence around it is ignored."""
        text = await self.extract(prompt, conversation)
        try:
            found = json.loads(text[text.index("{") : text.rindex("}") + 1])
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    async def answer(self, prompt: str, request: ChatRequest, data: JsonObject) -> ChatCompletion:
        """Let the larger model put the data into words."""
        completion: ChatCompletion = await self._client.chat.completions.create(
            **self._answer_call(prompt, request, data), stream=False
        )
        return completion

    async def stream_answer(self, prompt: str, request: ChatRequest, data: JsonObject) -> AsyncStream[ChatCompletionChunk]:
        """Like `answer`, word by word."""
        stream: AsyncStream[ChatCompletionChunk] = await self._client.chat.completions.create(
            **self._answer_call(prompt, request, data), stream=True
        )
        return stream

    def _answer_call(self, prompt: str, request: ChatRequest, data: JsonObject) -> dict[str, Any]:
        messages = [_system(prompt), *map(_turn, request.conversation), _system(json.dumps(data))]
        return {"model": ANSWER_MODEL, "messages": messages, "extra_headers": self._headers, **request.options}


def _system(text: str) -> ChatCompletionMessageParam:
    return {"role": "system", "content": text}


def _turn(message: Message) -> ChatCompletionMessageParam:
    if message.role == "assistant":
        return {"role": "assistant", "content": message.text}
    return {"role": "user", "content": message.text}
