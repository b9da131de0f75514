"""Plays a model provider, or an agent, in the three client APIs: whole answers, event streams, tool calls and errors."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

from tests.kit.actor import STREAM_HEAD
from tests.kit.stub_upstream import Answer, Received

WORDS = ("It ", "rains ", "in Seattle.")
TEXT = "".join(WORDS)
USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
Json = dict[str, Any]


async def speak(request: Received, writer: asyncio.StreamWriter) -> Answer | None:
    """Answer in the API of the path; a question `fail 429` is answered with that status."""
    asked: Json = json.loads(request.body)
    api = request.path.partition("?")[0].rpartition("/")[2]
    if status := failure(asked):
        anthropic = api == "messages"
        error = {"type": "x_error", "message": "mine"} | ({} if anthropic else {"param": None, "code": "my_code"})
        return Answer(status, json.dumps({"error": error} | ({"type": "error"} if anthropic else {})).encode())
    if asked.get("stream"):
        writer.write(STREAM_HEAD)
        for event in STREAMS[api](asked):
            writer.write(b"%x\r\n%s\r\n" % (len(event), event))
            await writer.drain()
        writer.write(b"0\r\n\r\n")
        await writer.drain()
        return None
    return Answer(body=json.dumps(ANSWERS[api](asked)).encode())


def failure(asked: Json) -> int:
    """Return the status that the question asks for, 0 if none."""
    said = asked.get("input") or asked["messages"][-1]["content"]
    return int(said.removeprefix("fail ")) if isinstance(said, str) and said.startswith("fail ") else 0


def chat(asked: Json) -> Json:
    message: Json = {"role": "assistant", "content": TEXT}
    is_tool_needed = asked.get("tools") and asked["messages"][-1]["role"] == "user"
    if is_tool_needed:
        call = {"name": asked["tools"][0]["function"]["name"], "arguments": '{"city": "Seattle"}'}
        message = {"role": "assistant", "content": None, "tool_calls": [{"id": "call_1", "type": "function", "function": call}]}
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if is_tool_needed else "stop"}
    head = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": asked.get("model", "agent")}
    return head | {"choices": [choice], "usage": USAGE}


def chat_events(asked: Json) -> Iterator[bytes]:
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": asked.get("model", "agent")}
    for word in WORDS:
        yield event(head | {"choices": [{"index": 0, "delta": {"role": "assistant", "content": word}, "finish_reason": None}]})
    yield event(head | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    yield event(head | {"choices": [], "usage": USAGE})
    yield b"data: [DONE]\n\n"


def message(asked: Json) -> Json:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model", "agent")}
    usage = {"input_tokens": 3, "output_tokens": 4}
    return head | {
        "content": [{"type": "text", "text": TEXT}],
        "stop_reason": "end_turn",
        "stop_sequence": None,
        "usage": usage,
    }


def message_events(asked: Json) -> Iterator[bytes]:
    yield named({"type": "message_start", "message": message(asked) | {"content": [], "stop_reason": None}})
    yield named({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}})
    for word in WORDS:
        yield named({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": word}})
    yield named({"type": "content_block_stop", "index": 0})
    delta = {"stop_reason": "end_turn", "stop_sequence": None}
    yield named({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 4}})
    yield named({"type": "message_stop"})


def response(asked: Json) -> Json:
    part = {"type": "output_text", "text": TEXT, "annotations": []}
    item = {"id": "msg_1", "type": "message", "role": "assistant", "status": "completed", "content": [part]}
    head = {"id": "resp_1", "object": "response", "created_at": 1, "status": "completed", "model": asked.get("model", "agent")}
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    usage = {"input_tokens": 3, "output_tokens": 4, "total_tokens": 7} | details
    return head | {"output": [item], "parallel_tool_calls": True, "tool_choice": "auto", "tools": [], "usage": usage}


def response_events(asked: Json) -> Iterator[bytes]:
    whole = response(asked)
    yield named({"type": "response.created", "sequence_number": 0, "response": whole | {"output": [], "status": "in_progress"}})
    place = {"item_id": "msg_1", "output_index": 0, "content_index": 0, "logprobs": []}
    for number, word in enumerate(WORDS, 1):
        yield named({"type": "response.output_text.delta", "sequence_number": number, "delta": word} | place)
    yield named({"type": "response.completed", "sequence_number": 9, "response": whole})


def embeddings(asked: Json) -> Json:
    data = [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25]}]
    return {"object": "list", "model": asked["model"], "data": data, "usage": {"prompt_tokens": 3, "total_tokens": 3}}


def token_count(asked: Json) -> Json:
    return {"input_tokens": 42}


def event(data: Json) -> bytes:
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def named(data: Json) -> bytes:
    return f"event: {data['type']}\n".encode() + event(data)


ANSWERS = {
    "completions": chat,
    "messages": message,
    "responses": response,
    "embeddings": embeddings,
    "count_tokens": token_count,
}
STREAMS = {"completions": chat_events, "messages": message_events, "responses": response_events}
