"""Events of a Converse stream -> chunks of a chat stream.

Blocks become deltas in order of arrival; calls and thoughts are numbered separately. The last chunks and [DONE]
follow with the usage.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from ext_proc.apis.chat_completions.spec import chat_failure
from ext_proc.apis.chat_completions.usage import to_chat_completions
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.readers import CHAT_DONE
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.chunks import chunk_head, tells_usage
from ext_proc.translate.chat_completions.custom_tools import unwrap
from ext_proc.translate.chat_completions.reasoning import encrypted_detail, text_detail
from ext_proc.translate.chat_completions.tools import custom_names
from ext_proc.translate.chat_completions_over_converse.response import service_tier
from ext_proc.translate.chat_completions_over_messages.response import finish_reason
from ext_proc.translate.converse.answer import stop_reason
from ext_proc.translate.converse.stream import ConverseStream, Events
from ext_proc.translate.json_fields import as_text
from ext_proc.translate.translation import Exchange


@dataclass(slots=True)
class _Tool:
    """The open call."""

    block: object
    """Converse's index of its block."""
    index: int
    is_custom: bool
    pieces: list[str] = field(default_factory=list)


class ChatCompletionsOverConverseStream(ConverseStream):
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._tells_usage = tells_usage(exchange)
        self._custom = custom_names(exchange.request)
        self._head = chunk_head(exchange, model=self.model)
        self._started = False
        self._tool: _Tool | None = None
        self._calls = 0
        self._thought: object = None
        """Converse's index of the block that the last thought was in."""
        self._thoughts = -1

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the error event."""
        self.closed = True
        return chat_failure(error)

    def _start(self, out: Events) -> None:
        if not self._started:
            self._started = True
            self._chunk({"role": "assistant", "content": ""}, out)

    def _call(self, index: object, ident: str, name: str, out: Events) -> None:
        self._close_tool(out)
        self._start(out)
        self._tool = _Tool(index, self._calls, name in self._custom)
        self._calls += 1
        call: JsonObject = {"index": self._tool.index, "id": ident}
        if self._tool.is_custom:
            call |= {"type": "custom", "custom": {"name": name, "input": ""}}
        else:
            call |= {"type": "function", "function": {"name": name, "arguments": ""}}
        self._chunk({"tool_calls": [call]}, out)

    def _say(self, _index: object, text: str, out: Events) -> None:
        self._start(out)
        self._chunk({"content": text}, out)

    def _cite(self, index: object, citation: JsonObject, out: Events) -> None:
        """Chat Completions only has citations of URLs."""

    def _argue(self, index: object, piece: str, out: Events) -> None:
        tool = self._tool
        if tool is None or tool.block != index:
            raise MalformedBody("a piece of a call that did not begin")
        if piece:
            tool.pieces.append(piece)
            if not tool.is_custom:
                self._pass(tool, piece, out)

    def _think(self, index: object, piece: JsonObject, out: Events) -> None:
        self._start(out)
        if "redactedContent" in piece:
            self._thoughts += 1
            self._thought = None
            self._chunk({"reasoning_details": [encrypted_detail(piece["redactedContent"], self._thoughts)]}, out)
            return
        if self._thought != index or self._thoughts < 0:
            self._thoughts += 1
            self._thought = index
        if piece.get("text"):
            text = as_text(piece["text"], "text")
            self._chunk({"reasoning_content": text, "reasoning_details": [text_detail(self._thoughts, text=text)]}, out)
        if piece.get("signature"):
            self._chunk({"reasoning_details": [text_detail(self._thoughts, signature=piece["signature"])]}, out)

    def _close(self, out: Events) -> None:
        self._close_tool(out)
        self._thought = None

    def _close_tool(self, out: Events) -> None:
        tool, self._tool = self._tool, None
        if tool is None:
            return
        arguments = "".join(tool.pieces) or "{}"
        if tool.is_custom:
            self._chunk({"tool_calls": [{"index": tool.index, "custom": {"input": unwrap(arguments)}}]}, out)
        elif not tool.pieces:
            # No deltas mean {}; clients parse the arguments, and "" is not JSON.
            self._pass(tool, arguments, out)

    def _pass(self, tool: _Tool, piece: str, out: Events) -> None:
        self._chunk({"tool_calls": [{"index": tool.index, "function": {"arguments": piece}}]}, out)

    def _finish(self, stopped: JsonObject, metadata: JsonObject, extra: JsonObject, out: Events) -> None:
        self._head |= {"model": self.model, **service_tier(metadata)}
        self._chunk({}, out, finish=finish_reason(stop_reason(stopped.get("stopReason"))))
        out[-1] |= extra
        if self._tells_usage:
            out.append({**self._head, "choices": [], "usage": to_chat_completions(self.usage)})
        out.append(CHAT_DONE)

    def _chunk(self, delta: JsonObject, out: Events, *, finish: str | None = None) -> None:
        choice: JsonObject = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
        out.append({**self._head, "choices": [choice]})
