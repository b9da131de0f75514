"""Events of a Converse stream -> events of a message stream.

before --messageStart, any block--> message_start
blocks: a delta of another kind begins another
messageStop and metadata --> message_delta, message_stop
"""

from collections.abc import Iterable

from ext_proc.apis.errors import ProviderError
from ext_proc.apis.messages.spec import messages_failure
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.converse.answer import message_usage, stop_reason, stop_sequence, tier_of
from ext_proc.translate.converse.stream import ConverseStream, Events
from ext_proc.translate.json_fields import as_text
from ext_proc.translate.translation import Exchange

_NEW: dict[str, JsonObject] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


class MessagesOverConverseStream(ConverseStream):
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        super().__init__(exchange)
        self._started = False
        self._index = -1
        self._open: tuple[object, str] | None = None
        """Converse's index of the open block, and what it holds."""

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the error event."""
        self.closed = True
        return messages_failure(error)

    def _start(self, out: Events) -> None:
        if self._started:
            return
        self._started = True
        message: JsonObject = {
            "id": f"msg_{self._exchange.id}",
            "type": "message",
            "role": "assistant",
            "model": self.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": message_usage(None, None),
        }
        out.append({"type": "message_start", "message": message})

    def _call(self, index: object, ident: str, name: str, out: Events) -> None:
        self._begin((index, "tool"), {"type": "tool_use", "id": ident, "name": name, "input": {}}, out)

    def _argue(self, index: object, piece: str, out: Events) -> None:
        if self._open != (index, "tool"):
            raise MalformedBody("a piece of a call that did not begin")
        if piece:
            self._delta({"type": "input_json_delta", "partial_json": piece}, out)

    def _say(self, index: object, text: str, out: Events) -> None:
        self._within((index, "text"), out)
        self._delta({"type": "text_delta", "text": text}, out)

    def _cite(self, index: object, citation: JsonObject, out: Events) -> None:
        self._within((index, "text"), out)
        self._delta({"type": "citations_delta", "citation": citation}, out)

    def _think(self, index: object, piece: JsonObject, out: Events) -> None:
        if "redactedContent" in piece:
            data = as_text(piece["redactedContent"], "redactedContent")
            self._begin((index, "redacted"), {"type": "redacted_thinking", "data": data}, out)
            return
        self._within((index, "thinking"), out)
        if piece.get("text"):
            self._delta({"type": "thinking_delta", "thinking": as_text(piece["text"], "text")}, out)
        if piece.get("signature"):
            self._delta({"type": "signature_delta", "signature": piece["signature"]}, out)

    def _within(self, block: tuple[object, str], out: Events) -> None:
        if self._open != block:
            self._begin(block, {**_NEW[block[1]]}, out)

    def _begin(self, block: tuple[object, str], content: JsonObject, out: Events) -> None:
        self._start(out)
        self._close(out)
        self._open = block
        self._index += 1
        out.append({"type": "content_block_start", "index": self._index, "content_block": content})

    def _delta(self, delta: JsonObject, out: Events) -> None:
        out.append({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _close(self, out: Events) -> None:
        if self._open is not None:
            self._open = None
            out.append({"type": "content_block_stop", "index": self._index})

    def _finish(self, stopped: JsonObject, metadata: JsonObject, extra: JsonObject, out: Events) -> None:
        met = stop_sequence(stopped.get("additionalModelResponseFields"))
        delta = {"stop_reason": stop_reason(stopped.get("stopReason")), "stop_sequence": met}
        used = message_usage(metadata.get("usage"), tier_of(metadata))
        out.append({"type": "message_delta", "delta": delta, "usage": used, **extra})
        out.append({"type": "message_stop"})
