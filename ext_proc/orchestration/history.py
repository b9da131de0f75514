"""The request of a later agent: the client's conversation, and the answers of the previous agents.

The answers are assistant messages before the user's last question, each with its agent's name, as in Plano.
"""

import re
from collections.abc import Sequence
from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.orchestration.part import Part, label

_NOT_IN_NAMES: Final = re.compile(r"[^A-Za-z0-9_-]")
_LONGEST_NAME: Final = 64
"""OpenAI's limits for `name`."""


def with_answers(api: str, body: JsonObject, parts: Sequence[Part]) -> JsonObject:
    """Return the body for the next agent; `parts` without text add nothing."""
    said = [part for part in parts if part.text]
    if not said:
        return body
    if api == "chat_completions":
        return {**body, "messages": _inserted(body["messages"], [_chat_message(part) for part in said])}
    if api == "responses":
        return {**body, "input": _with_items(body.get("input"), said)}
    return {**body, "messages": _with_turns(body["messages"], said)}


def with_feedback(api: str, body: JsonObject, draft: str, feedback: str) -> JsonObject:
    """Return the body that requests a better draft: the last draft and the feedback end the conversation."""
    turns: list[object] = [{"role": "assistant", "content": draft}, {"role": "user", "content": feedback}]
    if api != "responses":
        return {**body, "messages": [*body["messages"], *turns]}
    return {**body, "input": [*_items(body.get("input")), *turns]}


def with_task(api: str, body: JsonObject, task: str) -> JsonObject:
    """Return a body with one more instruction before the others."""
    if api == "chat_completions":
        return {**body, "messages": [{"role": "system", "content": task}, *body["messages"]]}
    name = "instructions" if api == "responses" else "system"
    own = body.get(name)
    if isinstance(own, list):
        return {**body, name: [{"type": "text", "text": task}, *own]}
    return {**body, name: f"{task}\n\n{own}" if own else task}


def _inserted(messages: list[object], new: list[JsonObject]) -> list[object]:
    at = _last_question(messages)
    return [*messages[:at], *new, *messages[at:]]


def _last_question(messages: Sequence[object]) -> int:
    """Return the index of the user's last question, or the end if there is none."""
    for index in range(len(messages) - 1, -1, -1):
        message = messages[index]
        if isinstance(message, dict) and message.get("role") == "user" and not _brings_results(message.get("content")):
            return index
    return len(messages)


def _brings_results(content: object) -> bool:
    """Whether a user's message of the Messages API has the results of the previous message's calls."""
    blocks = content if isinstance(content, list) else ()
    return any(isinstance(block, dict) and block.get("type") == "tool_result" for block in blocks)


def _chat_message(part: Part) -> JsonObject:
    name = _NOT_IN_NAMES.sub("_", part.agent)[:_LONGEST_NAME]
    return {"role": "assistant", "name": name, "content": part.text}


def _with_items(given: object, said: Sequence[Part]) -> list[object]:
    return _inserted(_items(given), [{"type": "message", "role": "assistant", "content": _named(part)} for part in said])


def _items(given: object) -> list[object]:
    return given if isinstance(given, list) else [{"type": "message", "role": "user", "content": given or ""}]


def _with_turns(messages: list[object], said: Sequence[Part]) -> list[object]:
    """Add answers in the Messages API, which has no names: a first question must contain the answers itself."""
    at = _last_question(messages)
    if at > 0:
        return _inserted(messages, [{"role": "assistant", "content": _named(part)} for part in said])
    question = messages[0]
    assert isinstance(question, dict), "a question was found"
    content = question.get("content")
    own = content if isinstance(content, list) else [{"type": "text", "text": content}]
    return [{**question, "content": [*({"type": "text", "text": _named(part)} for part in said), *own]}, *messages[1:]]


def _named(part: Part) -> str:
    return label(part.agent) + part.text
