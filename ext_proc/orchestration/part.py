"""One agent's part of an answer, and the interface of mergers, one per client API."""

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
    """One agent's answer so far."""

    agent: str
    text: str = ""
    """Without its label."""
    usage: Usage = NO_USAGE
    stop: str = ""
    """Stop reason in the client API's terms; empty before its end."""
    calls_tools: bool = False
    """Whether the client has to run tools first."""
    is_complete: bool = False


def label(agent: str) -> str:
    """Return the visible label of a part, in Markdown."""
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
    """Merges the streams of several agents. Events in, events out; no bytes."""

    parts: list[Part]

    def begin(self, agent: str, *, labelled: bool) -> None:
        """Begin the part of an agent."""
        ...

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Process an event of the current agent's stream; return the client's events."""
        ...

    def note(self, text: str) -> Iterable[JsonObject]:
        """Add a note of the gateway in place of the current agent's part; later agents do not receive it."""
        ...

    def end(self) -> Iterable[JsonObject]:
        """Close everything that the current part has left open, complete or not."""
        ...

    def finish(self) -> Iterable[JsonObject]:
        """Return the events that end the whole answer."""
        ...
