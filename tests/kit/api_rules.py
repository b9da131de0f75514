"""What strict providers refuse of a request, as they check it: the yardstick for what the gateway sends them.

Not everything that the APIs say, but what agents' conversations run into: order of calls and results, contents that may not be
empty, fields that are not known, names and arguments of tools.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import orjson

from tests.kit.converse_rules import converse_problems

Json = dict[str, Any]

_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")
_CHAT_FIELDS: Final = frozenset(
    """
    model messages max_completion_tokens stream stream_options tools tool_choice parallel_tool_calls temperature
    top_p stop user reasoning_effort response_format metadata service_tier store verbosity prompt_cache_key
    safety_identifier
    """.split()  # noqa: SIM905
)
_CHAT_MESSAGE: Final = frozenset({"role", "content", "name", "tool_calls", "tool_call_id", "refusal"})
_MESSAGES_FIELDS: Final = frozenset(
    """
    model messages max_tokens stream system tools tool_choice temperature top_p top_k stop_sequences metadata
    thinking output_config service_tier context_management
    """.split()  # noqa: SIM905
)
_RESPONSES_FIELDS: Final = frozenset(
    """
    model input instructions max_output_tokens stream tools tool_choice parallel_tool_calls temperature top_p user
    reasoning text include store metadata service_tier prompt_cache_key safety_identifier truncation
    """.split()  # noqa: SIM905
)
_ITEMS: Final = frozenset(
    {"message", "function_call", "function_call_output", "custom_tool_call", "custom_tool_call_output", "reasoning"}
)


def problems(api: str, body: Json) -> list[str]:
    """List what a strict provider of an API would refuse."""
    return list(_RULES[api](body))


def _chat(body: Json) -> Iterator[str]:
    yield from _unknown(body, _CHAT_FIELDS, "")
    yield from _tools([tool.get("function", {}) for tool in body.get("tools", ())], "parameters")
    if not body.get("tools") and {"tool_choice", "parallel_tool_calls"} & set(body):
        yield "tool_choice and parallel_tool_calls need tools"
    if len(body.get("user", "")) > 64:
        yield "user is too long"
    if "stream_options" in body and not body.get("stream"):
        yield "stream_options needs stream"
    waiting: set[str] = set()
    for index, message in enumerate(body["messages"]):
        yield from _chat_message(message, f"messages[{index}]", waiting)
    if waiting:
        yield f"the last calls have no result: {sorted(waiting)}"


def _chat_message(message: Json, where: str, waiting: set[str]) -> Iterator[str]:
    yield from _unknown(message, _CHAT_MESSAGE, where)
    if message["role"] == "tool":
        if message["tool_call_id"] not in waiting:
            yield f"{where} answers no call"
        waiting.discard(message["tool_call_id"])
    elif waiting:
        yield f"calls before {where} have no result: {sorted(waiting)}"
    calls = message.get("tool_calls") or ()
    waiting.update(call["id"] for call in calls)
    for call in calls:
        yield from _arguments(call["function"]["arguments"], where)
    if message.get("content") is None and not calls:
        yield f"{where} says nothing"
    if message["role"] != "user":
        yield from _only_texts(message.get("content"), where)


def _messages(body: Json) -> Iterator[str]:
    yield from _unknown(body, _MESSAGES_FIELDS, "")
    yield from _tools(body.get("tools", ()), "input_schema")
    if not isinstance(body.get("max_tokens"), int):
        yield "max_tokens is required"
    if "tool_choice" in body and not body.get("tools"):
        yield "tool_choice needs tools"
    waiting: list[str] = []
    for index, message in enumerate(body["messages"]):
        where = f"messages[{index}]"
        if message["role"] != ("user", "assistant")[index % 2]:
            yield f"{where} does not alternate"
        said = message["content"]
        blocks = [{"type": "text", "text": said}] if isinstance(said, str) else said
        yield from _blocks(blocks, where, waiting)
        waiting = [block["id"] for block in blocks if block["type"] == "tool_use"]
        if waiting and not body.get("tools"):
            yield f"{where} calls tools, and there are none"
    if waiting:
        yield f"the last calls have no result: {waiting}"


def _blocks(blocks: list[Json], where: str, waiting: list[str]) -> Iterator[str]:
    if not blocks:
        yield f"{where} is empty"
    results = [block["tool_use_id"] for block in blocks if block["type"] == "tool_result"]
    if sorted(results) != sorted(waiting) or any(block["type"] != "tool_result" for block in blocks[: len(results)]):
        yield f"{where} must begin with the results of {waiting}, and has {results}"
    for block in blocks:
        if block["type"] == "text" and not block["text"].strip():
            yield f"{where} has a blank text"
        if block["type"] == "thinking" and not block.get("signature"):
            yield f"{where} has thinking without a signature"


def _responses(body: Json) -> Iterator[str]:
    yield from _unknown(body, _RESPONSES_FIELDS, "")
    yield from _tools([tool for tool in body.get("tools", ()) if tool["type"] == "function"], "parameters")
    called: dict[str, str] = {}
    for index, item in enumerate(body["input"] if isinstance(body["input"], list) else ()):
        where, kind = f"input[{index}]", item.get("type", "message")
        if kind not in _ITEMS:
            yield f"{where} is of no known type: {kind}"
        elif kind in ("function_call", "custom_tool_call"):
            called[item["call_id"]] = kind
            if kind == "function_call":
                yield from _arguments(item["arguments"], where)
        elif kind.endswith("_output"):
            if called.pop(item["call_id"], None) != kind.removesuffix("_output"):
                yield f"{where} answers no call of its kind"
        elif kind == "reasoning" and not item.get("encrypted_content"):
            yield f"{where} is reasoning that is not here"
        elif kind == "message" and item.get("content") is None:
            yield f"{where} says nothing"
    if called:
        yield f"calls have no result: {sorted(called)}"


def _unknown(holder: Json, known: frozenset[str], where: str) -> Iterator[str]:
    if more := sorted(set(holder) - known):
        yield f"{where} unknown fields: {more}"


def _tools(tools: Iterable[Json], schema: str) -> Iterator[str]:
    for tool in tools:
        if not _NAME.fullmatch(tool.get("name", "")):
            yield f"no name for a tool: {tool.get('name')!r}"
        if tool.get(schema, {}).get("type") != "object":
            yield f"the schema of {tool.get('name')} is not one of an object"


def _arguments(arguments: object, where: str) -> Iterator[str]:
    try:
        parsed = orjson.loads(arguments)  # type: ignore[arg-type]  # whatever came
    except orjson.JSONDecodeError:
        parsed = None
    if not isinstance(parsed, dict):
        yield f"{where} has arguments that are no object: {arguments!r}"


def _only_texts(content: object, where: str) -> Iterator[str]:
    if isinstance(content, list) and any(part["type"] != "text" for part in content):
        yield f"{where} holds more than text"


_RULES: Final = {"chat_completions": _chat, "messages": _messages, "responses": _responses, "converse": converse_problems}
