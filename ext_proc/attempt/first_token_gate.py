"""Reads the beginning of an event stream until it has content; only then is it shown to the client.

Until then Envoy can still retry. Announcements (the start of a message, a role, a ping) are not content.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import read_error
from ext_proc.apis.readers import StreamEvent
from ext_proc.apis.registry import spec_of

_PART_BYTES: Final = 1024
"""Maximum that is parsed at once: events after the first content need not be parsed."""


class Opened(Enum):
    """The reasons to open a gate, besides an error."""

    CONTENT = "content"


Opening = Opened | ProviderError


class Gate:
    """Watches one stream, in chunks of any size, until it has content."""

    def __init__(self, api: str) -> None:
        spec = spec_of(api)
        self._has_content = spec.has_content
        self._reader = spec.new_reader()

    def feed(self, chunk: bytes) -> Opening | None:
        """Return the reason to open the gate; None without content.

        Raises:
            UpstreamError: it cannot be read, or an event exceeds the limit.
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
        return Opened.CONTENT if self._has_content(event) else None
