"""Reads the beginning of an event stream until it says something: only then may the client see it.

Before that Envoy can still try elsewhere. Announcements (a message begins, a role, a ping) say nothing yet.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum
from typing import Any, Final

from ext_proc.apis.empty_answers import has_answer, may_be_empty
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import read_error
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.readers import StreamEvent, reader_of
from ext_proc.translate.translation import CONVERSE, MESSAGES, RESPONSES

_PART_BYTES: Final = 1024
"""Read at once: what comes after the opening need not be read, and a busy worker gets many events together."""


class Opened(Enum):
    """What opens a gate other than an error."""

    CONTENT = "content"


Opening = Opened | ProviderError


class Gate:
    """Watches one stream, in chunks of any size, until it has content."""

    def __init__(self, api: str) -> None:
        self._says_something = _HAS_CONTENT.get(api, _chat_has_content)
        self._reader = reader_of(api)

    def feed(self, chunk: bytes) -> Opening | None:
        """Return what opens the gate, None as long as nothing was said.

        Raises:
            UpstreamError: it cannot be read, or an event is longer than any should be.
        """
        parts = (chunk[start : start + _PART_BYTES] for start in range(0, len(chunk), _PART_BYTES))
        return next((opening for part in parts if (opening := self._first(self._reader.feed(part))) is not None), None)

    def finish(self) -> Opening | None:
        """Return what the end of the stream completes."""
        return self._first(self._reader.finish())

    def _first(self, events: Iterable[StreamEvent]) -> Opening | None:
        return next((opening for event in events if (opening := self._opening(event)) is not None), None)

    def _opening(self, event: StreamEvent) -> Opening | None:
        if isinstance(event, ProviderError):
            return event
        if not isinstance(event, dict):
            return None
        if event.get("type") == "response.failed":
            return read_error(event.get("response"))
        return Opened.CONTENT if self._says_something(event) else None


def _chat_has_content(event: JsonObject) -> bool:
    choices = event.get("choices")
    if not isinstance(choices, list):
        return False
    return any(isinstance(choice, Mapping) and _choice_has_content(choice) for choice in choices)


def _choice_has_content(choice: Mapping[str, Any]) -> bool:
    if choice.get("finish_reason") or choice.get("text"):
        return True
    delta = choice.get("delta")
    return isinstance(delta, Mapping) and any(value for name, value in delta.items() if name != "role")


def _messages_has_content(event: JsonObject) -> bool:
    kind = event.get("type")
    if kind == "content_block_start":
        block = event.get("content_block")
        return isinstance(block, Mapping) and block.get("type") not in ("text", "thinking")
    if kind == "message_delta":
        delta = event.get("delta")
        return may_be_empty(delta.get("stop_reason") if isinstance(delta, Mapping) else None, event.get("usage"))
    return kind in ("content_block_delta", "content_block_stop")


def _responses_has_content(event: JsonObject) -> bool:
    kind = event.get("type")
    if not isinstance(kind, str):
        return False
    response = event.get("response")
    if kind == "response.completed" and isinstance(response, dict):
        return has_answer(RESPONSES, response)
    return kind.endswith((".delta", ".done")) or kind == "response.incomplete"


def _converse_has_content(event: JsonObject) -> bool:
    return not event.keys().isdisjoint(("contentBlockStart", "contentBlockDelta", "messageStop"))


_HAS_CONTENT: Final[dict[str, Callable[[JsonObject], bool]]] = {
    MESSAGES: _messages_has_content,
    RESPONSES: _responses_has_content,
    CONVERSE: _converse_has_content,
}
