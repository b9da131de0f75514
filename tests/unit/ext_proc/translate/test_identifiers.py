"""Names of tools that are too long for the upstream: shortened on the way up, restored in every form of answer."""

from typing import Any

import orjson
import pytest

from ext_proc.translate.registry import translation
from ext_proc.translate.translation import Exchange
from protos.contract.quirks import Quirks
from tests.kit.folding import fold

LONG = "mcp__internal-platform__list_failed_pipeline_jobs_of_a_merge_request.v2"
TOOLS: dict[str, Any] = {
    "messages": {"name": LONG, "input_schema": {"type": "object", "properties": {}}},
    "responses": {"type": "function", "name": LONG, "parameters": {"type": "object", "properties": {}}},
    "chat_completions": {"type": "function", "function": {"name": LONG, "parameters": {"type": "object", "properties": {}}}},
}
SAID: dict[str, Any] = {
    "messages": {"messages": [{"role": "user", "content": "Hi"}], "max_tokens": 9},
    "responses": {"input": "Hi"},
    "chat_completions": {"messages": [{"role": "user", "content": "Hi"}]},
}


def asked(client: str, upstream: str) -> tuple[Any, str]:
    """Return a translation whose request was made, and the name by which the tool goes to the upstream."""
    request = {"model": "m", "tools": [TOOLS[client]], **SAID[client]}
    made = translation(client, upstream, Exchange(request=request, id="0" * 32, created=1, quirks=Quirks()))
    [tool] = (body := made.request(upstream_model="m")).get("tools") or body["toolConfig"]["tools"]
    return made, (tool.get("function") or tool.get("toolSpec") or tool)["name"]


ANSWERS: dict[str, Any] = {
    "chat_completions": lambda name: {
        "choices": [{"message": {"tool_calls": [{"id": "c", "function": {"name": name, "arguments": "{}"}}]}}]
    },
    "messages": lambda name: {"content": [{"type": "tool_use", "id": "c", "name": name, "input": {}}]},
    "responses": lambda name: {"output": [{"type": "function_call", "call_id": "c", "name": name, "arguments": "{}"}]},
    "converse": lambda name: {"output": {"message": {"content": [{"toolUse": {"toolUseId": "c", "name": name, "input": {}}}]}}},
}
PAIRS = [(client, upstream) for client in TOOLS for upstream in ANSWERS if client != upstream]


@pytest.mark.parametrize(("client", "upstream"), PAIRS)
def test_an_answer_has_the_clients_name(client: str, upstream: str) -> None:
    made, short = asked(client, upstream)
    assert len(short) <= 64
    assert short.startswith("mcp__internal-platform__list_failed")
    told = orjson.dumps(made.response(ANSWERS[upstream](short)).body).decode()
    assert f'"name":"{LONG}"' in told
    assert short not in told


def test_a_stream_has_the_clients_name() -> None:
    made, short = asked("messages", "chat_completions")
    call = {"index": 0, "id": "c", "function": {"name": short, "arguments": "{}"}}
    chunks = [{"delta": {"tool_calls": [call]}, "finish_reason": None}, {"delta": {}, "finish_reason": "tool_calls"}]
    raw = b"".join(b"data: " + orjson.dumps({"id": "c", "model": "m", "choices": [chunk]}) + b"\n\n" for chunk in chunks)
    stream = made.stream()
    assert LONG in str(fold("messages", stream.feed(raw + b"data: [DONE]\n\n") + stream.finish()))
