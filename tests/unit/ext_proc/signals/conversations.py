"""Conversations in a few words."""

from collections.abc import Sequence
from typing import Any

from ext_proc.signals.analysis import analyse
from ext_proc.signals.report import Report
from ext_proc.signals.rows import read_rows

Message = dict[str, Any]


def said(*texts: str) -> list[Message]:
    """A user and an assistant take turns; the user begins."""
    return [{"role": "assistant" if index % 2 else "user", "content": text} for index, text in enumerate(texts)]


def called(name: str, arguments: str = "{}", result: str = "done") -> list[Message]:
    """A tool is called, and has its result."""
    call = {"id": "c", "type": "function", "function": {"name": name, "arguments": arguments}}
    return [
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": result},
    ]


def report(messages: Sequence[Message]) -> Report:
    """The signals of a chat completion's request."""
    return analyse(read_rows("chat_completions", {"messages": list(messages)}))


def types(messages: Sequence[Message]) -> list[str]:
    """The types of its signals, sorted."""
    return sorted(signal.type for signal in report(messages).signals)
