"""Coding agents at work, as Claude Code and Codex are: many turns with tools at a provider of another API, without a stop."""

import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
import pytest_asyncio

from tests.clients.asking import SCHEMA, Json
from tests.clients.every_pair import World, every_pair
from tests.clients.scenarios import UPSTREAMS
from tests.kit.llm_provider import HELLO
from tests.kit.llm_streams import Answer as Said

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.xdist_group("clients-sessions")]

TURNS = 12
TOOLS = ("Bash", "Read", "Edit", "Grep", "Task", "TodoWrite", "mcp__github__search")
STEPS = (
    replace(HELLO, calls=[("Read", {"path": "a.py"})], cut=3, finish="tool_calls"),
    replace(HELLO, texts=[], calls=[("Grep", {"q": "x"}), ("Bash", {"cmd": 'echo "é\n"'}), ("Read", {})], finish="tool_calls"),
    replace(HELLO, thoughts=["Hm."], signature="c2ln", calls=[("Edit", {"old": "", "new": "\\"})], cut=9, finish="tool_calls"),
    replace(HELLO, texts=["\n\n"], calls=[("Task", {"deep": {"er": [1, None, True]}})], finish="stop"),
    replace(HELLO, thoughts=["Long ", "thought."], signature="c2ln", texts=[], calls=[("TodoWrite", {})], finish="tool_calls"),
)
"""What coding models answer, one after another; some servers say `stop` for calls, too."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def _shared() -> AsyncIterator[World]:
    async with every_pair() as world:
        yield world


@pytest.fixture
def world(_shared: World) -> World:
    _shared.reset()
    for provider in _shared.providers.values():
        steps = itertools.chain(itertools.islice(itertools.cycle(STEPS), TURNS), itertools.repeat(HELLO))
        provider.script = lambda _, steps=steps: next(steps)  # type: ignore[misc]
        provider.keep_alive = b": still thinking\n\n"
    return _shared


MARK = {"cache_control": {"type": "ephemeral"}}
CLAUDE_CODE: Json = {
    "max_tokens": 32_000,
    "system": [
        {"type": "text", "text": "You are a coding agent.", **MARK},
        {"type": "text", "text": "# Environment\nLinux, git", **MARK},
    ],
    "tools": [{"name": name, "description": f"{name}.", "input_schema": SCHEMA} for name in TOOLS[:-1]]
    + [{"name": TOOLS[-1], "description": "Searches.", "input_schema": SCHEMA, **MARK}],
    "metadata": {"user_id": "user_" + "0123456789abcdef" * 4 + "_account__session_" + "0123456789abcdef" * 2},
    "thinking": {"type": "enabled", "budget_tokens": 31_999},
    "extra_query": {"beta": "true"},
    "extra_headers": {"anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14"},
}


@pytest.mark.parametrize("upstream", ["chat_completions", "converse", "responses"])
async def test_claude_code_never_stops_in_the_middle(world: World, upstream: str) -> None:
    provider, model = world.providers[upstream], UPSTREAMS[upstream]
    messages: list[Any] = [{"role": "user", "content": [{"type": "text", "text": "<system-reminder>…</system-reminder>"}]}]
    messages[0]["content"].append({"type": "text", "text": "Fix the tests."})
    counts = []
    for turn in itertools.count(1):
        marked = with_marker(messages)
        counted = await world.anthropic.messages.count_tokens(model=model, messages=marked, tools=CLAUDE_CODE["tools"])
        counts.append(counted.input_tokens)
        async with world.anthropic.messages.stream(model=model, messages=marked, **CLAUDE_CODE) as stream:
            answer = await stream.get_final_message()
        said = STEPS[(turn - 1) % len(STEPS)] if turn <= TURNS else HELLO
        calls = [block for block in answer.content if block.type == "tool_use"]
        assert [(call.name, call.input) for call in calls] == said.calls
        assert answer.usage.input_tokens > 0
        if answer.stop_reason != "tool_use" and not calls:
            break
        messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]})
        messages.append({"role": "user", "content": [tool_result(call.id, index) for index, call in enumerate(calls)]})
    assert (turn, answer.stop_reason) == (TURNS + 1, "end_turn")
    assert len(provider.received) == TURNS + 1
    assert counts == sorted(counts)


def with_marker(messages: list[Json]) -> list[Any]:
    """Mark the last block for the prompt cache, as Claude Code does in each turn."""
    *before, last = messages
    *blocks, block = last["content"]
    return [*before, {**last, "content": [*blocks, {**block, **MARK}]}]


def tool_result(call: str, index: int) -> Json:
    """Answer as tools do: with text, with blocks, with an image, with nothing, with an error."""
    image = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "iVBORw0KGgo="}}
    contents: list[Json] = [
        {"content": "     1→import os\n"},
        {"content": [{"type": "text", "text": "done"}, image]},
        {"is_error": True, "content": "<tool_use_error>No such file</tool_use_error>"},
    ]
    return {"type": "tool_result", "tool_use_id": call, **contents[index % 3]}


CODEX: Json = {
    "instructions": "You are Codex.",
    "tools": [{"type": "function", "name": name, "parameters": SCHEMA, "strict": False} for name in TOOLS]
    + [{"type": "custom", "name": "apply_patch", "description": "Patches.", "format": {"type": "text"}}],
    "tool_choice": "auto",
    "parallel_tool_calls": False,
    "reasoning": {"effort": "high", "summary": "auto"},
    "store": False,
    "include": ["reasoning.encrypted_content"],
    "prompt_cache_key": "0198-session",
    "text": {"verbosity": "low"},
}
PATCH = replace(HELLO, texts=[], calls=[("apply_patch", {"input": "*** Begin Patch\n+x\n*** End Patch"})], finish="tool_calls")


@pytest.mark.parametrize("upstream", ["chat_completions", "converse", "messages"])
async def test_codex_never_stops_in_the_middle(world: World, upstream: str) -> None:
    provider, model = world.providers[upstream], UPSTREAMS[upstream]
    steps = itertools.chain(*([PATCH, *STEPS] for _ in range(2)), itertools.repeat(HELLO))
    provider.script = lambda _: next(steps)
    items: list[Any] = [{"type": "message", "role": "developer", "content": [{"type": "input_text", "text": "sandbox: on"}]}]
    items.append({"type": "message", "role": "user", "content": [{"type": "input_text", "text": "Fix the tests."}]})
    heard: list[tuple[str, str]] = []
    for _ in itertools.count():
        stream = await world.openai.responses.create(model=model, input=items, stream=True, **CODEX)
        events = [event async for event in stream]
        assert events[-1].type == "response.completed", events[-1]
        done = [event.item for event in events if event.type == "response.output_item.done"]
        assert [item.id for item in done] == [item.id for item in events[-1].response.output]
        # Codex sends back what it got, item by item.
        items += [item.model_dump(exclude_none=True) for item in done]
        calls = [item for item in done if item.type in ("function_call", "custom_tool_call")]
        if not calls:
            break
        heard += [(call.type, call.input if call.type == "custom_tool_call" else call.name) for call in calls]
        items += [{"type": f"{call.type}_output", "call_id": call.call_id, "output": "exit 0"} for call in calls]
    assert len(provider.received) == 2 * (1 + len(STEPS)) + 1
    assert heard == [told(said, index) for said in [PATCH, *STEPS] * 2 for index in range(len(said.calls))]
    if upstream != "chat_completions":
        assert str(provider.bodies[-1]).count("'signature': 'c2ln'") == 4


def told(said: Said, index: int) -> tuple[str, str]:
    name, arguments = said.calls[index]
    return ("custom_tool_call", arguments["input"]) if name == "apply_patch" else ("function_call", name)
