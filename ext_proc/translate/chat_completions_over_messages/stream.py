"""Events of a message stream -> chunks of a chat stream.

Content blocks become deltas in order of arrival; tool_use blocks are numbered separately. The stop reason and the usage
come with message_delta, the last chunks and [DONE] with message_stop.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ext_proc.apis.chat_completions.spec import chat_failure
from ext_proc.apis.chat_completions.usage import to_chat_completions
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.messages.usage import from_messages
from ext_proc.apis.readers import CHAT_DONE
from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.chunks import chunk_head, tells_usage
from ext_proc.translate.chat_completions.custom_tools import unwrap
from ext_proc.translate.chat_completions.reasoning import encrypted_detail, text_detail
from ext_proc.translate.chat_completions.tools import custom_names
from ext_proc.translate.chat_completions_over_messages.response import (
    fallback_model,
    finish_reason,
    refusal_text,
    service_tier,
)
from ext_proc.translate.json_fields import as_object, as_text, dump
from ext_proc.translate.translation import Exchange

Events = list[JsonObject]


@dataclass(slots=True)
class _Tool:
    """The open tool_use block."""

    index: int
    name: str
    given: Any
    """Input that came with the start of the block: Anthropic sends none, others send all."""
    custom: bool
    pieces: list[str] = field(default_factory=list)


class ChatCompletionsOverMessagesStream:
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self.usage: Usage = NO_USAGE
        self.model = ""
        self.closed = False
        self._tells_usage = tells_usage(exchange)
        self._custom = custom_names(exchange.request)
        self._head = chunk_head(exchange)
        self._counts: JsonObject = {}
        self._tool: _Tool | None = None
        self._calls = 0
        self._thoughts = -1
        self._stop: object = None

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one event."""
        out: Events = []
        match event.get("type"):
            case "message_start":
                self._start(as_object(event.get("message"), "message"), out)
            case "content_block_start":
                self._begin(as_object(event.get("content_block"), "content_block"), out)
            case "content_block_delta":
                self._delta(as_object(event.get("delta"), "delta"), out)
            case "content_block_stop":
                self._close_tool(out)
            case "message_delta":
                self._count(event.get("usage"))
                self._finish(as_object(event.get("delta") or {}, "delta"), out)
            case "message_stop" if self._stop is not None:
                self._end(out)
        return out

    def end(self) -> Iterable[JsonObject]:
        """Process the end of the stream: complete if there is a stop reason, even without message_stop."""
        out: Events = []
        if self._stop is not None:
            self._end(out)
        return out

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the error event."""
        self.closed = True
        return chat_failure(error)

    def _start(self, message: JsonObject, out: Events) -> None:
        if isinstance(message.get("model"), str):
            self.model = self._head["model"] = message["model"]
        if isinstance(message.get("id"), str) and message["id"]:
            self._head["id"] = message["id"]
        self._count(message.get("usage"))
        tier = service_tier(message.get("usage"))
        if tier:
            self._head["service_tier"] = tier
        self._chunk({"role": "assistant", "content": ""}, out)

    def _begin(self, block: JsonObject, out: Events) -> None:
        match block.get("type"):
            case "text" if block.get("text"):
                self._chunk({"content": as_text(block["text"], "text")}, out)
            case "thinking":
                self._thoughts += 1
                if block.get("thinking"):
                    self._think(as_text(block["thinking"], "thinking"), out)
                if block.get("signature"):
                    self._sign(block["signature"], out)
            case "redacted_thinking":
                self._thoughts += 1
                self._chunk({"reasoning_details": [encrypted_detail(block.get("data"), self._thoughts)]}, out)
            case "tool_use":
                self._call(block, out)
            case "fallback":
                self.model = self._head["model"] = fallback_model([block]) or self.model

    def _call(self, block: JsonObject, out: Events) -> None:
        name, ident = as_text(block.get("name"), "name"), as_text(block.get("id"), "id")
        self._tool = _Tool(self._calls, name, block.get("input"), name in self._custom)
        self._calls += 1
        call: JsonObject = {"index": self._tool.index, "id": ident}
        if self._tool.custom:
            call |= {"type": "custom", "custom": {"name": name, "input": ""}}
        else:
            call |= {"type": "function", "function": {"name": name, "arguments": ""}}
        self._chunk({"tool_calls": [call]}, out)

    def _delta(self, delta: JsonObject, out: Events) -> None:
        match delta.get("type"):
            case "text_delta":
                self._chunk({"content": as_text(delta.get("text"), "text")}, out)
            case "thinking_delta":
                self._think(as_text(delta.get("thinking"), "thinking"), out)
            case "signature_delta":
                self._sign(delta.get("signature"), out)
            case "input_json_delta" if self._tool is not None and delta.get("partial_json"):
                piece = as_text(delta["partial_json"], "partial_json")
                self._tool.pieces.append(piece)
                if not self._tool.custom:
                    self._pass(self._tool, piece, out)

    def _think(self, text: str, out: Events) -> None:
        self._chunk({"reasoning_content": text, "reasoning_details": [text_detail(self._thoughts, text=text)]}, out)

    def _sign(self, signature: object, out: Events) -> None:
        self._chunk({"reasoning_details": [text_detail(self._thoughts, signature=signature)]}, out)

    def _close_tool(self, out: Events) -> None:
        tool, self._tool = self._tool, None
        if tool is None:
            return
        arguments = "".join(tool.pieces) or dump(tool.given or {}, "input")
        if tool.custom:
            delta = {"index": tool.index, "custom": {"input": unwrap(arguments)}}
            self._chunk({"tool_calls": [delta]}, out)
        elif not tool.pieces:
            # No deltas mean {}; clients parse the arguments, and "" is not JSON.
            self._pass(tool, arguments, out)

    def _pass(self, tool: _Tool, piece: str, out: Events) -> None:
        self._chunk({"tool_calls": [{"index": tool.index, "function": {"arguments": piece}}]}, out)

    def _count(self, counts: object) -> None:
        """Merge counts: those of message_delta are totals; missing ones keep their value."""
        if isinstance(counts, dict):
            self._counts |= {name: count for name, count in counts.items() if count is not None}
            self.usage = from_messages(self._counts)

    def _finish(self, delta: JsonObject, out: Events) -> None:
        self._stop = delta.get("stop_reason") or self._stop
        refusal = refusal_text(delta) if self._stop == "refusal" else None
        if refusal:
            self._chunk({"refusal": refusal}, out)

    def _end(self, out: Events) -> None:
        self._close_tool(out)
        self._chunk({}, out, finish=finish_reason(self._stop))
        if self._tells_usage:
            out.append({**self._head, "choices": [], "usage": to_chat_completions(self.usage)})
        out.append(CHAT_DONE)
        self.closed = True

    def _chunk(self, delta: JsonObject, out: Events, *, finish: str | None = None) -> None:
        choice: JsonObject = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        out.append({**self._head, "choices": [choice]})
