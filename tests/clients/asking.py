"""The official clients, each asked the same: a question in its own API, whole or streamed, and what it made of the answer."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Final

import orjson

from tests.clients.every_pair import World

Json = dict[str, Any]


@dataclass(slots=True)
class Heard:
    """What a client's types say of an answer."""

    text: str = ""
    thought: str = ""
    calls: list[tuple[str, Json]] = field(default_factory=list)
    stop: str = ""
    """In the words of Chat Completions."""
    usage: tuple[int, int, int] = (0, 0, 0)
    """Input, output, and what of the input was cached."""
    turn: list[Json] = field(default_factory=list)
    """The answer as it goes into the next request."""


async def ask_chat(world: World, body: Json, *, stream: bool) -> Heard:
    """Ask by `openai`, Chat Completions."""
    create = world.openai.chat.completions.create
    if not stream:
        whole = (await create(**body)).model_dump(exclude_none=True)
        return _heard_chat(whole["choices"][0]["message"], whole["choices"][0]["finish_reason"], whole["usage"])
    message: Json = {"role": "assistant", "content": ""}
    finish = ""
    usage: Json = {}
    async for chunk in await create(**body, stream=True, stream_options={"include_usage": True}):
        told = chunk.model_dump(exclude_none=True)
        usage = told.get("usage") or usage
        for choice in told["choices"]:
            finish = choice.get("finish_reason") or finish
            _grow(message, choice["delta"])
    return _heard_chat(message, finish, usage)


def _grow(message: Json, delta: Json) -> None:
    for name in ("content", "reasoning_content", "refusal"):
        if delta.get(name):
            message[name] = message.get(name, "") + delta[name]
    if delta.get("reasoning_details"):
        message.setdefault("reasoning_details", []).extend(delta["reasoning_details"])
    for call in delta.get("tool_calls", ()):
        calls = message.setdefault("tool_calls", [])
        if call["index"] == len(calls):
            calls.append(
                {"id": call["id"], "type": "function", "function": {"name": call["function"]["name"], "arguments": ""}}
            )
        calls[call["index"]]["function"]["arguments"] += call["function"].get("arguments", "")


def _heard_chat(message: Json, finish: str, usage: Json) -> Heard:
    calls = [call["function"] for call in message.get("tool_calls", ())]
    cached = usage["prompt_tokens_details"]["cached_tokens"]
    return Heard(
        text=message.get("content") or "",
        thought=message.get("reasoning_content", ""),
        calls=[(call["name"], orjson.loads(call["arguments"])) for call in calls],
        stop=finish,
        usage=(usage["prompt_tokens"], usage["completion_tokens"], cached),
        turn=[message],
    )


_STOPS: Final = {"end_turn": "stop", "max_tokens": "length", "refusal": "content_filter", "tool_use": "tool_calls"}


async def ask_messages(world: World, body: Json, *, stream: bool) -> Heard:
    """Ask by `anthropic`."""
    if stream:
        async with world.anthropic.messages.stream(**body) as events:
            message = (await events.get_final_message()).model_dump(exclude_none=True)
    else:
        message = (await world.anthropic.messages.create(**body)).model_dump(exclude_none=True)
    blocks, usage = message["content"], message["usage"]
    cached = usage.get("cache_read_input_tokens", 0)
    given = usage["input_tokens"] + cached + usage.get("cache_creation_input_tokens", 0)
    return Heard(
        text="".join(block["text"] for block in blocks if block["type"] == "text"),
        thought="".join(block["thinking"] for block in blocks if block["type"] == "thinking"),
        calls=[(block["name"], block["input"]) for block in blocks if block["type"] == "tool_use"],
        stop=_STOPS[message["stop_reason"]],
        usage=(given, usage["output_tokens"], cached),
        turn=[{"role": "assistant", "content": blocks}],
    )


async def ask_responses(world: World, body: Json, *, stream: bool) -> Heard:
    """Ask by `openai`, Responses."""
    if stream:
        events = [event async for event in await world.openai.responses.create(**body, stream=True)]
        assert [event.sequence_number for event in events] == list(range(len(events)))
        response = events[-1].model_dump(exclude_none=True)["response"]
    else:
        response = (await world.openai.responses.create(**body)).model_dump(exclude_none=True)
    items, usage = response["output"], response["usage"]
    calls = [(item["name"], orjson.loads(item["arguments"])) for item in items if item["type"] == "function_call"]
    reason = response.get("incomplete_details", {}).get("reason", "")
    stop = {"max_output_tokens": "length", "content_filter": "content_filter"}.get(reason, "tool_calls" if calls else "stop")
    return Heard(
        text="".join(part["text"] for item in items if item["type"] == "message" for part in item["content"]),
        thought="".join(part["text"] for item in items if item["type"] == "reasoning" for part in item["summary"]),
        calls=calls,
        stop=stop,
        usage=(usage["input_tokens"], usage["output_tokens"], usage["input_tokens_details"]["cached_tokens"]),
        turn=items,
    )


Ask = Callable[..., Awaitable[Heard]]
ASK: Final[dict[str, Ask]] = {"chat_completions": ask_chat, "messages": ask_messages, "responses": ask_responses}

SCHEMA: Final = {
    "type": "object",
    "properties": {"city": {"type": "string"}},
    "required": ["city"],
    "additionalProperties": False,
}
PNG: Final = "iVBORw0KGgo="


def question(client: str, model: str, turns: list[Json] | None = None, **more: Any) -> Json:
    """Ask something, with a conversation before it if there is one, all in a client's API."""
    said = [{"role": "user", "content": "How is the weather?"}, *(turns or [])]
    if client == "responses":
        return {"model": model, "input": said, "store": False, **more}
    if client == "messages":
        return {"model": model, "max_tokens": 2000, "messages": said, **more}
    return {"model": model, "messages": said, **more}


def tools(client: str, *names: str) -> list[Json]:
    """Offer functions of a city."""
    if client == "messages":
        return [{"name": name, "input_schema": SCHEMA} for name in names]
    if client == "responses":
        return [{"type": "function", "name": name, "parameters": SCHEMA, "strict": True} for name in names]
    return [{"type": "function", "function": {"name": name, "parameters": SCHEMA}} for name in names]


def results(client: str, turn: list[Json], *texts: str) -> list[Json]:
    """Give the results of an answer's calls, in order."""
    if client == "messages":
        ids = [block["id"] for block in turn[0]["content"] if block["type"] == "tool_use"]
        blocks = [{"type": "tool_result", "tool_use_id": call, "content": text} for call, text in zip(ids, texts, strict=True)]
        return [{"role": "user", "content": blocks}]
    if client == "responses":
        ids = [item["call_id"] for item in turn if item["type"] == "function_call"]
        return [
            {"type": "function_call_output", "call_id": call, "output": text} for call, text in zip(ids, texts, strict=True)
        ]
    ids = [call["id"] for call in turn[0]["tool_calls"]]
    return [{"role": "tool", "tool_call_id": call, "content": text} for call, text in zip(ids, texts, strict=True)]


def picture(client: str) -> list[Json]:
    """Show a picture."""
    url = f"data:image/png;base64,{PNG}"
    if client == "messages":
        source = {"type": "base64", "media_type": "image/png", "data": PNG}
        return [{"role": "user", "content": [{"type": "image", "source": source}]}]
    if client == "responses":
        return [{"role": "user", "content": [{"type": "input_image", "image_url": url, "detail": "auto"}]}]
    return [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}]


def structured(client: str) -> Json:
    """Ask for an answer of a schema."""
    if client == "messages":
        return {"output_config": {"format": {"type": "json_schema", "schema": SCHEMA}}}
    if client == "responses":
        return {"text": {"format": {"type": "json_schema", "name": "place", "schema": SCHEMA, "strict": True}}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "place", "schema": SCHEMA, "strict": True}}}
