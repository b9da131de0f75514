"""Events of a Converse stream -> events of a message stream.

before --messageStart, any block--> message_start
blocks: only calls are announced; text and reasoning begin with their first piece, and a piece of another kind begins another
messageStop --> remembered: usage comes after it, in `metadata`, which ends the stream
"""

from collections.abc import Iterable

from ext_proc.apis.usage import NO_USAGE, Usage, from_converse
from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.converse.answer import answered_by, message_usage, stop_reason, stop_sequence, tier_of, told
from ext_proc.translate.converse.citations import citation
from ext_proc.translate.events import messages_failure
from ext_proc.translate.fields import as_object, as_text
from ext_proc.translate.provider_errors import ProviderError
from ext_proc.translate.translation import Exchange

Events = list[JsonObject]
_NEW: dict[str, JsonObject] = {
    "text": {"type": "text", "text": ""},
    "thinking": {"type": "thinking", "thinking": "", "signature": ""},
}


class MessagesOverConverseStream:
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self.usage: Usage = NO_USAGE
        self.model = exchange.upstream_model
        self.closed = False
        self._exchange = exchange
        self._started = False
        self._index = -1
        self._open: tuple[object, str] | None = None
        """Converse's index of the open block, and what it holds."""
        self._stopped: JsonObject | None = None
        """messageStop."""

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one event."""
        out: Events = []
        for kind, given in event.items():
            told_of = as_object(given, kind)
            match kind:
                case "messageStart":
                    self._start(out)
                case "contentBlockDelta":
                    self._piece(told_of.get("contentBlockIndex"), as_object(told_of.get("delta"), "delta"), out)
                case "contentBlockStart":
                    self._announce(told_of.get("contentBlockIndex"), as_object(told_of.get("start") or {}, "start"), out)
                case "contentBlockStop":
                    self._close(out)
                case "messageStop":
                    self._close(out)
                    self._stopped = told_of
                case "metadata":
                    self._end(told_of, out)
        return out

    def end(self) -> Iterable[JsonObject]:
        """Take the end of the stream: complete if the model said why it stopped, even without metadata."""
        out: Events = []
        self._end({}, out)
        return out

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

    def _announce(self, index: object, start: JsonObject, out: Events) -> None:
        if "toolUse" not in start:
            return
        use = as_object(start["toolUse"], "start.toolUse")
        ident, name = as_text(use.get("toolUseId"), "toolUseId"), as_text(use.get("name"), "name")
        self._begin((index, "tool"), {"type": "tool_use", "id": ident, "name": name, "input": {}}, out)

    def _piece(self, index: object, delta: JsonObject, out: Events) -> None:
        for kind, given in delta.items():
            match kind:
                case "text" if given:
                    self._say(index, {"type": "text_delta", "text": as_text(given, "text")}, out)
                case "toolUse" if self._open == (index, "tool"):
                    piece = as_text(as_object(given, "toolUse").get("input"), "toolUse.input")
                    if piece:
                        self._delta({"type": "input_json_delta", "partial_json": piece}, out)
                case "toolUse":
                    raise MalformedBody("a piece of a call that did not begin")
                case "reasoningContent":
                    self._think(index, as_object(given, "reasoningContent"), out)
                case "citation" if (made := citation(given)) is not None:
                    self._say(index, {"type": "citations_delta", "citation": made}, out)

    def _say(self, index: object, delta: JsonObject, out: Events) -> None:
        self._within((index, "text"), out)
        self._delta(delta, out)

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

    def _end(self, metadata: JsonObject, out: Events) -> None:
        if self._stopped is None:
            return
        self._start(out)
        self.usage = from_converse(metadata.get("usage"))
        self.model = answered_by(self._exchange, metadata.get("trace"))
        fields = self._stopped.get("additionalModelResponseFields")
        delta = {"stop_reason": stop_reason(self._stopped.get("stopReason")), "stop_sequence": stop_sequence(fields)}
        used = message_usage(metadata.get("usage"), tier_of(metadata))
        extra = told(self._exchange, {**metadata, "additionalModelResponseFields": fields})
        out.append({"type": "message_delta", "delta": delta, "usage": used, **extra})
        out.append({"type": "message_stop"})
        self.closed = True
