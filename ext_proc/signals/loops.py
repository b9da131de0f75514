"""Loops of tool calls: identical repetitions, varying arguments, or a repeated sequence."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, Literal

from ext_proc.signals.rows import Row

LoopKind = Literal["retry", "parameter_drift", "oscillation"]

_LEAST: Final = 3
"""Minimum of repetitions of a loop."""

_PATTERNS: Final = range(2, 6)
"""Maximum of calls in a pattern."""


@dataclass(frozen=True, slots=True)
class Loop:
    """The calls of one loop."""

    kind: LoopKind
    first: int
    """Index among the calls."""
    last: int
    tools: tuple[str, ...]


def find_loops(calls: Sequence[Row]) -> Iterator[Loop]:
    """Find loops, each once."""
    yield from _same_tool(calls)
    yield from _oscillations([call.tool for call in calls])


def _same_tool(calls: Sequence[Row]) -> Iterator[Loop]:
    start = 0
    for tool, group in groupby(calls, key=lambda call: call.tool):
        run = list(group)
        if len(run) >= _LEAST:
            yield from _in_run(run, start, tool)
        start += len(run)


def _in_run(run: Sequence[Row], start: int, tool: str) -> Iterator[Loop]:
    """Find retries, or else drift, among consecutive calls of one tool."""
    retried = False
    position = start
    for _, group in groupby(run, key=lambda call: call.text):
        length = len(list(group))
        if length >= _LEAST:
            retried = True
            yield Loop("retry", position, position + length - 1, (tool,))
        position += length
    # Parallel calls in one message are not drift.
    steps = len({call.step for call in run})
    if not retried and steps >= _LEAST and len({call.text for call in run}) > 1:
        yield Loop("parameter_drift", start, start + len(run) - 1, (tool,))


def _oscillations(tools: Sequence[str]) -> Iterator[Loop]:
    position = 0
    while position < len(tools):
        found = next((size for size in _PATTERNS if _repeats(tools, position, size) >= _LEAST), 0)
        if not found:
            position += 1
            continue
        end = position + found * _repeats(tools, position, found)
        yield Loop("oscillation", position, end - 1, tuple(tools[position : position + found]))
        position = end


def _repeats(tools: Sequence[str], start: int, size: int) -> int:
    """Count the repetitions of the `size` calls at `start`; 0 if all are of one tool."""
    pattern = tools[start : start + size]
    if len(set(pattern)) < 2:
        return 0
    count = 1
    while tools[start + count * size : start + (count + 1) * size] == pattern:
        count += 1
    return count
