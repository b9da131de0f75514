"""How long translations take: a 50 KB request (goal: 300 µs) and one event of a stream (goal: 30 µs), for every pair.

Beside it the request's share of all that ext_proc does for it: read it twice, decide, translate, write it, answer Envoy.

Run with `python -m benchmarks.translation`.
"""

from collections.abc import Callable
from functools import partial
from time import perf_counter

import orjson

from benchmarks.translated_request import seconds_of_request
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.registry import PAIRS, translation
from ext_proc.translate.translation import Exchange
from tests.kit.event_stream import encode_one

ROUNDS = 300
EVENTS = 500


def main() -> None:
    """Measure every pair and print a line for each."""
    for client, upstream in sorted(PAIRS):
        request = REQUESTS[client]()
        size = len(orjson.dumps(request))
        exchange = Exchange(request=request, id="0" * 32, created=1)
        spent = _best(partial(_translate, client, upstream, exchange), ROUNDS)
        told = _best(partial(_through, client, upstream, exchange, STREAMS[upstream]()), 10) / EVENTS
        total = seconds_of_request(client, upstream, request, ROUNDS)
        name = f"{client} over {upstream}"
        share = f"{spent / total:4.0%} of {total * 1e6:4.0f} µs"
        print(f"{name:40} request of {size // 1000} KB {spent * 1e6:6.0f} µs   event {told * 1e6:5.1f} µs   {share}")


def _translate(client: str, upstream: str, exchange: Exchange) -> None:
    translation(client, upstream, exchange).request(upstream_model="m")


def _through(client: str, upstream: str, exchange: Exchange, events: list[bytes]) -> None:
    stream = translation(client, upstream, exchange).stream()
    for event in events:
        stream.feed(event)
    stream.finish()


def _best(work: Callable[[], object], rounds: int) -> float:
    times = []
    for _ in range(rounds):
        start = perf_counter()
        work()
        times.append(perf_counter() - start)
    return min(times)


TEXT = "The quick brown fox jumps over the lazy dog. " * 11
FIELD: JsonObject = {"type": "string", "description": "x" * 40}
SCHEMA: JsonObject = {"type": "object", "properties": {f"field_{n}": FIELD for n in range(8)}}
TURNS = 24


def _messages() -> JsonObject:
    turns: list[JsonObject] = []
    for n in range(TURNS):
        use = {"type": "tool_use", "id": f"t{n}", "name": "tool_1", "input": {"path": TEXT}}
        result = {"type": "tool_result", "tool_use_id": f"t{n}", "content": [{"type": "text", "text": TEXT}]}
        turns.append({"role": "assistant", "content": [{"type": "text", "text": TEXT}, use]})
        turns.append({"role": "user", "content": [result]})
    tools = [{"name": f"tool_{n}", "description": TEXT, "input_schema": SCHEMA} for n in range(10)]
    first = {"role": "user", "content": TEXT}
    return {"model": "m", "max_tokens": 1000, "system": TEXT, "tools": tools, "messages": [first, *turns], "stream": True}


def _chat() -> JsonObject:
    messages: list[JsonObject] = [{"role": "system", "content": TEXT}, {"role": "user", "content": TEXT}]
    arguments = orjson.dumps({"path": TEXT}).decode()
    for n in range(TURNS):
        call = {"id": f"t{n}", "type": "function", "function": {"name": "tool_1", "arguments": arguments}}
        messages.append({"role": "assistant", "content": TEXT, "tool_calls": [call]})
        messages.append({"role": "tool", "tool_call_id": f"t{n}", "content": TEXT})
    functions = [{"name": f"tool_{n}", "description": TEXT, "parameters": SCHEMA} for n in range(10)]
    return {
        "model": "m",
        "messages": messages,
        "tools": [{"type": "function", "function": f} for f in functions],
        "stream": True,
    }


def _responses() -> JsonObject:
    items: list[JsonObject] = [{"role": "user", "content": TEXT}]
    arguments = orjson.dumps({"path": TEXT}).decode()
    for n in range(TURNS):
        items.append({"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": TEXT}]})
        items.append({"type": "function_call", "call_id": f"t{n}", "name": "tool_1", "arguments": arguments})
        items.append({"type": "function_call_output", "call_id": f"t{n}", "output": TEXT})
    tools = [{"type": "function", "name": f"tool_{n}", "description": TEXT, "parameters": SCHEMA} for n in range(10)]
    return {"model": "m", "instructions": TEXT, "input": items, "tools": tools, "stream": True}


def _chat_events() -> list[bytes]:
    choice = {"index": 0, "delta": {"content": "word "}, "finish_reason": None}
    chunk = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return [b"data: " + orjson.dumps(chunk) + b"\n\n"] * EVENTS


def _message_events() -> list[bytes]:
    start = {"type": "message_start", "message": {"id": "m", "model": "m", "usage": {"input_tokens": 1}}}
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    delta = {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "word "}}
    return [_named(start), _named(block), *[_named(delta)] * EVENTS]


def _response_events() -> list[bytes]:
    start = {"type": "response.created", "response": {"id": "r", "model": "m"}}
    delta = {"type": "response.output_text.delta", "item_id": "i", "output_index": 0, "content_index": 0, "delta": "word "}
    return [_named(start), *[_named(delta)] * EVENTS]


def _converse_events() -> list[bytes]:
    delta = {"contentBlockDelta": {"contentBlockIndex": 0, "delta": {"text": "word "}, "p": "abcdefghijk"}}
    return [encode_one({"messageStart": {"role": "assistant"}}), *[encode_one(delta)] * EVENTS]


def _named(event: JsonObject) -> bytes:
    return b"event: " + str(event["type"]).encode() + b"\ndata: " + orjson.dumps(event) + b"\n\n"


REQUESTS: dict[str, Callable[[], JsonObject]] = {"messages": _messages, "chat_completions": _chat, "responses": _responses}
STREAMS: dict[str, Callable[[], list[bytes]]] = {
    "messages": _message_events,
    "chat_completions": _chat_events,
    "responses": _response_events,
    "converse": _converse_events,
}

if __name__ == "__main__":
    main()
