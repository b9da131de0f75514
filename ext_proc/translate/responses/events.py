"""Writes the events of a Responses stream.

Numbers them, keeps one output item open at a time, and repeats the content when an item, a part or the response is done:

    output_item.added, content_part.added, deltas…, output_text.done, content_part.done, output_item.done
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from ext_proc.apis.errors import ProviderError, response_error
from ext_proc.apis.responses.usage import to_responses
from ext_proc.apis.usage import Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.responses.compaction import compaction_item
from ext_proc.translate.responses.reasoning_items import reasoning_item
from ext_proc.translate.responses.response_object import call_item, item_id, message_item, response_object, text_part
from ext_proc.translate.responses.tools import ClientTool
from ext_proc.translate.translation import Exchange

Kind = Literal["reasoning", "message", "call", "summary"]


@dataclass(slots=True)
class _Item:
    """The open output item."""

    kind: Kind
    id: str
    index: int
    key: str = ""
    """Key of the thought or part: another key opens the next one."""
    pieces: list[str] = field(default_factory=list)
    parts: list[JsonObject] = field(default_factory=list)
    """Parts of a message that are done."""
    annotations: list[JsonObject] = field(default_factory=list)
    logprobs: list[JsonObject] = field(default_factory=list)
    signature: str = ""
    tool: ClientTool | None = None
    call_id: str = ""

    @property
    def said(self) -> str:
        return "".join(self.pieces)


class ResponseEvents:
    """Collects the events of one stream; `take` returns them."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._response: JsonObject = {}
        self._out: list[JsonObject] = []
        self._number = 0
        self._item: _Item | None = None

    def take(self) -> list[JsonObject]:
        """Return the events since the last time."""
        out, self._out = self._out, []
        return out

    def start(self, model: str) -> None:
        """Begin the response, once."""
        if self._response:
            return
        self._response = response_object(self._exchange, model=model, status="in_progress")
        for kind in ("response.created", "response.in_progress"):
            self._emit(kind, response={**self._response, "output": []})

    def think(self, key: str, text: str, signature: str) -> None:
        """Add a delta of reasoning."""
        item = self._item
        if item is None or item.kind != "reasoning" or item.key != key:
            item = self._open("reasoning", "rs", key)
            block = {"type": "thinking", "thinking": "", "signature": ""}
            self._added(item, reasoning_item(item.id, block))
        item.signature = signature or item.signature
        if not text:
            return
        where = {"item_id": item.id, "output_index": item.index, "summary_index": 0}
        if not item.pieces:
            self._emit("response.reasoning_summary_part.added", **where, part={"type": "summary_text", "text": ""})
        item.pieces.append(text)
        self._emit("response.reasoning_summary_text.delta", **where, delta=text)

    def seal(self, encrypted: str) -> None:
        """Add encrypted reasoning."""
        item = self._open("reasoning", "rs", "")
        whole = reasoning_item(item.id, {"type": "redacted_thinking", "data": encrypted})
        self._added(item, whole)
        self._done(item, whole)

    def say(self, text: str, part: Literal["output_text", "refusal"], logprobs: Sequence[JsonObject] = ()) -> None:
        """Add a delta of text, with its logprobs if there are any."""
        item = self._item
        if item is None or item.kind != "message":
            item = self._open("message", "msg", "")
            self._added(item, message_item(item.id, [], "in_progress"))
        if item.key != part:
            self._close_part(item)
            item.key = part
            self._emit("response.content_part.added", **_place(item), part=_part(part, "", [], []))
        item.pieces.append(text)
        item.logprobs += logprobs
        extra: dict[str, Any] = {"logprobs": [*logprobs]} if part == "output_text" else {}
        self._emit(f"response.{part}.delta", **_place(item), delta=text, **extra)

    def annotate(self, annotation: JsonObject) -> None:
        """Add an annotation to the open text."""
        item = self._item
        if item is not None and item.kind == "message" and item.key == "output_text":
            number = len(item.annotations)
            item.annotations.append(annotation)
            kind = "response.output_text.annotation.added"
            self._emit(kind, **_place(item), annotation_index=number, annotation=annotation)

    def call(self, tool: ClientTool, call_id: str) -> None:
        """Begin a call of a tool."""
        item = self._open("call", "ctc" if tool.kind == "custom" else "fc", "")
        item.tool, item.call_id = tool, call_id
        self._added(item, self._call_item(item, tool, "", "in_progress"))

    def arguments(self, piece: str) -> None:
        """Add a delta of the arguments."""
        item = self._item
        if item is None or item.tool is None:
            return
        item.pieces.append(piece)
        if item.tool.kind == "function":  # The input of a custom tool is only known when its JSON is complete.
            self._emit("response.function_call_arguments.delta", item_id=item.id, output_index=item.index, delta=piece)

    def close(self, status: str = "completed") -> None:
        """End the open item, if there is one."""
        item = self._item
        if item is None:
            return
        match item.kind:
            case "reasoning":
                self._close_reasoning(item)
            case "message":
                self._close_part(item)
                self._done(item, message_item(item.id, item.parts, status))
            case "call":
                self._close_call(item, status)
            case "summary":
                self._done(item, compaction_item(item.id, item.said))

    def summarise(self, text: str) -> None:
        """Add a delta of a conversation's summary, whose text is sent with the item's end."""
        item = self._item
        if item is None:
            item = self._open("summary", "cmp", "")
            self._added(item, {"id": item.id, "type": "compaction", "encrypted_content": ""})
        item.pieces.append(text)
        self._emit("response.compaction.compacting", item_id=item.id, output_index=item.index)

    def complete(self, *, status: str, details: JsonObject | None, usage: Usage, service_tier: object, model: str) -> None:
        """End the response; `model` answered, perhaps instead of the one that began."""
        self.close(status)
        self._response |= {"status": status, "incomplete_details": details, "usage": to_responses(usage)}
        if model:
            self._response["model"] = model
        if service_tier is not None:
            self._response["service_tier"] = service_tier
        self._emit(f"response.{status}", response=self._response)

    def fail(self, error: ProviderError, usage: Usage) -> None:
        """End the response with an error."""
        self.start("")
        self._response |= {"status": "failed", "error": response_error(error)}
        self._response["usage"] = to_responses(usage) if usage.total_tokens else None
        self._emit("response.failed", response=self._response)

    def _open(self, kind: Kind, prefix: str, key: str) -> _Item:
        self.close()
        index = len(self._response["output"])
        self._item = _Item(kind, item_id(prefix, self._exchange, index), index, key)
        return self._item

    def _added(self, item: _Item, whole: JsonObject) -> None:
        self._emit("response.output_item.added", output_index=item.index, item=whole)

    def _done(self, item: _Item, whole: JsonObject) -> None:
        self._item = None
        self._response["output"].append(whole)
        self._emit("response.output_item.done", output_index=item.index, item=whole)

    def _close_reasoning(self, item: _Item) -> None:
        if item.pieces:
            where = {"item_id": item.id, "output_index": item.index, "summary_index": 0}
            self._emit("response.reasoning_summary_text.done", **where, text=item.said)
            part = {"type": "summary_text", "text": item.said}
            self._emit("response.reasoning_summary_part.done", **where, part=part)
        block = {"type": "thinking", "thinking": item.said, "signature": item.signature}
        self._done(item, reasoning_item(item.id, block))

    def _close_part(self, item: _Item) -> None:
        if not item.key:
            return
        part = _part(item.key, item.said, item.annotations, item.logprobs)
        if item.key == "output_text":
            self._emit("response.output_text.done", **_place(item), text=item.said, logprobs=item.logprobs)
        else:
            self._emit("response.refusal.done", **_place(item), refusal=item.said)
        self._emit("response.content_part.done", **_place(item), part=part)
        item.parts.append(part)
        item.key, item.pieces, item.annotations, item.logprobs = "", [], [], []

    def _close_call(self, item: _Item, status: str) -> None:
        tool = item.tool
        if tool is None:
            return
        whole = self._call_item(item, tool, item.said or "{}", status)
        where = {"item_id": item.id, "output_index": item.index}
        if tool.kind == "custom":
            self._emit("response.custom_tool_call_input.delta", **where, delta=whole["input"])
            self._emit("response.custom_tool_call_input.done", **where, input=whole["input"])
        else:
            if not item.pieces:
                # No deltas mean {}; clients parse the arguments, and "" is not JSON.
                self._emit("response.function_call_arguments.delta", **where, delta="{}")
            arguments = whole["arguments"]
            self._emit("response.function_call_arguments.done", **where, name=tool.name, arguments=arguments)
        self._done(item, whole)

    def _call_item(self, item: _Item, tool: ClientTool, arguments: str, status: str) -> JsonObject:
        number = (self._exchange, item.index)
        return call_item(tool, number=number, call_id=item.call_id, arguments=arguments, status=status)

    def _emit(self, kind: str, **fields: Any) -> None:
        self._out.append({"type": kind, "sequence_number": self._number, **fields})
        self._number += 1


def _place(item: _Item) -> dict[str, Any]:
    return {"item_id": item.id, "output_index": item.index, "content_index": len(item.parts)}


def _part(kind: str, text: str, annotations: list[JsonObject], logprobs: list[JsonObject]) -> JsonObject:
    return text_part(text, annotations, logprobs) if kind == "output_text" else {"type": "refusal", "refusal": text}
