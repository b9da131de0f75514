"""Model and usage in the events of a stream."""

from collections.abc import Mapping
from typing import Any

from ext_proc.apis.registry import spec_of
from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions_over_messages.response import fallback_model


class StreamUsage:
    """Model and usage of one stream in one API."""

    def __init__(self, api: str) -> None:
        self.usage: Usage = NO_USAGE
        self.model = ""
        self._spec = spec_of(api)
        self._counts: JsonObject = {}

    def read(self, event: JsonObject) -> None:
        """Take an event."""
        holder = _holder(event)
        model, usage = holder.get("model"), event.get("usage") or holder.get("usage")
        if isinstance(model, str):
            self.model = model
        if event.get("type") == "content_block_start" and (fallback := fallback_model([event.get("content_block")])):
            self.model = fallback
        if isinstance(usage, dict):
            self.usage = self._merge(usage)

    def _merge(self, usage: JsonObject) -> Usage:
        if not self._spec.adds_up_usage:
            return self._spec.read_usage(usage)
        self._counts = {**self._counts, **{name: count for name, count in usage.items() if count is not None}}
        return self._spec.read_usage(self._counts)


def _holder(event: JsonObject) -> Mapping[str, Any]:
    for name in ("message", "response"):
        inner = event.get(name)
        if isinstance(inner, dict):
            return inner
    return event
