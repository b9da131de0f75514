"""One agent's part of an answer, and what a merger of such parts does in each client API."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Protocol

from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject

AGENT_FIELD: Final = "agent"
"""Extension of chunks (Chat Completions), content blocks (Messages) and output items (Responses): the agent's id.

The official SDKs keep fields that they do not know: `chunk.agent`, `block.agent`, `item.agent`.
"""


@dataclass(slots=True)
class Part:
    """What one agent has answered so far."""

    agent: str
    text: str = ""
    """Without its label."""
    usage: Usage = NO_USAGE
    stop: str = ""
    """Why it ended, in the client API's words; empty as long as it has not."""
    calls_tools: bool = False
    """Whether the client has to run tools before anybody can go on."""
    is_complete: bool = False


def label(agent: str) -> str:
    """Return what tells people whose part begins: Markdown, as chat clients show it."""
    return f"**{agent}**\n\n"


def total(parts: Iterable[Part]) -> Usage:
    """Add up the usage of all parts."""
    usages = [part.usage for part in parts]
    return Usage(
        input_tokens=sum(usage.input_tokens for usage in usages),
        output_tokens=sum(usage.output_tokens for usage in usages),
        cached_input_tokens=sum(usage.cached_input_tokens for usage in usages),
        cache_write_tokens=sum(usage.cache_write_tokens for usage in usages),
        reasoning_tokens=sum(usage.reasoning_tokens for usage in usages),
    )


class StreamMerger(Protocol):
    """Makes one stream of the streams of several agents. Events in, events out; no bytes."""

    parts: list[Part]

    def begin(self, agent: str, *, labelled: bool) -> None:
        """Let the part of an agent begin."""
        ...

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take an event of the current agent's stream; return what the client gets of it."""
        ...

    def note(self, text: str) -> Iterable[JsonObject]:
        """Say something in the place of the current agent, in the gateway's own name: later agents are not told."""
        ...

    def end(self) -> Iterable[JsonObject]:
        """Close the current part, complete or not: what it has left open."""
        ...

    def finish(self) -> Iterable[JsonObject]:
        """Return the events that end the whole answer."""
        ...
