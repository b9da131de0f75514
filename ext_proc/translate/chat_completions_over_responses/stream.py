"""Events of a Responses stream -> chunks of a chat stream.

Deltas pass on arrival; calls are numbered separately. The content of a done item is used only if there were no deltas
of it. The terminal event has the stop reason and the usage.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from ext_proc.apis.chat_completions.spec import chat_failure
from ext_proc.apis.chat_completions.usage import to_chat_completions
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.provider_errors import read_error
from ext_proc.apis.readers import CHAT_DONE
from ext_proc.apis.responses.usage import from_responses
from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.chunks import chunk_head, tells_usage
from ext_proc.translate.chat_completions.reasoning import text_detail
from ext_proc.translate.chat_completions_over_responses.response import chat_annotation, finish_reason
from ext_proc.translate.json_fields import as_object, as_text
from ext_proc.translate.responses.logprobs import for_choice, of_part
from ext_proc.translate.responses.reasoning_items import PART_BREAK, openai_signature, text_of_item
from ext_proc.translate.translation import Exchange

Events = list[JsonObject]


@dataclass(slots=True)
class _Sent:
    """What was sent of one output item."""

    number: int
    """Index of the call among calls, or of the thought among thoughts."""
    any: bool = False
    part: object = None
    """Index of the part of a thought that was sent last."""
    spelling: str = ""
    """Reasoning arrives as a summary or as itself; only the first kind is sent."""


class ChatCompletionsOverResponsesStream:
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self.usage: Usage = NO_USAGE
        self.model = ""
        self.closed = False
        self._tells_usage = tells_usage(exchange)
        self._tells_logprobs = bool(exchange.request.get("logprobs"))
        self._head = chunk_head(exchange)
        self._items: dict[object, _Sent] = {}
        self._calls = 0
        self._thoughts = 0

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one event."""
        out: Events = []
        match event.get("type"):
            case "response.created":
                self._start(as_object(event.get("response"), "response"), out)
            case "response.output_item.added":
                self._added(event, as_object(event.get("item"), "item"), out)
            case "response.output_item.done":
                self._done(event, as_object(event.get("item"), "item"), out)
            case "response.completed" | "response.incomplete":
                self._end(as_object(event.get("response"), "response"), out)
            case "response.failed":
                failed = as_object(event.get("response"), "response")
                self.usage = from_responses(failed.get("usage"))
                out.extend(self.fail(read_error({"error": failed.get("error")})))
            case _:
                self._delta(event, out)
        return out

    def end(self) -> Iterable[JsonObject]:
        """Process the end of the stream: without a terminal event it is incomplete."""
        return ()

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the error event."""
        self.closed = True
        return chat_failure(error)

    def _delta(self, event: JsonObject, out: Events) -> None:
        match event.get("type"):
            case "response.output_text.delta":
                probabilities = for_choice(of_part(event)) if self._tells_logprobs else None
                self._chunk({"content": as_text(event.get("delta"), "delta")}, out, logprobs=probabilities)
            case "response.refusal.delta":
                self._chunk({"refusal": as_text(event.get("delta"), "delta")}, out)
            case "response.function_call_arguments.delta" | "response.custom_tool_call_input.delta" as kind:
                self._pass(event, kind, out)
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta" as spelling:
                self._think(event, spelling, out)
            case "response.output_text.annotation.added":
                note = chat_annotation(as_object(event.get("annotation"), "annotation"))
                if note is not None:
                    self._chunk({"annotations": [note]}, out)

    def _start(self, response: JsonObject, out: Events) -> None:
        if isinstance(response.get("model"), str):
            self.model = self._head["model"] = response["model"]
        if isinstance(response.get("id"), str) and response["id"]:
            self._head["id"] = response["id"]
        self._chunk({"role": "assistant", "content": ""}, out)

    def _think(self, event: JsonObject, spelling: str, out: Events) -> None:
        told = self._thought(event)
        told.spelling = told.spelling or spelling
        text = as_text(event.get("delta"), "delta")
        if told.spelling == spelling and text:
            part = event.get("summary_index", event.get("content_index"))
            text = PART_BREAK + text if told.any and part != told.part else text
            told.any, told.part = True, part
            self._chunk({"reasoning_content": text, "reasoning_details": [self._detail(told, text=text)]}, out)

    def _added(self, event: JsonObject, item: JsonObject, out: Events) -> None:
        match item.get("type"):
            case "reasoning":
                self._thought(event)
            case "function_call" | "custom_tool_call" as kind:
                self._items[_index(event)] = told = _Sent(self._calls)
                self._calls += 1
                name = as_text(item.get("name"), "item.name")
                call: JsonObject = {"index": told.number, "id": as_text(item.get("call_id"), "item.call_id")}
                if kind == "function_call":
                    call |= {"type": "function", "function": {"name": name, "arguments": ""}}
                else:
                    call |= {"type": "custom", "custom": {"name": name, "input": ""}}
                self._chunk({"tool_calls": [call]}, out)

    def _pass(self, event: JsonObject, kind: str, out: Events) -> None:
        told = self._items.get(_index(event))
        piece = as_text(event.get("delta"), "delta")
        if told is not None and piece:
            told.any = True
            self._piece(told, piece, "function" if kind.startswith("response.function") else "custom", out)

    def _done(self, event: JsonObject, item: JsonObject, out: Events) -> None:
        told = self._items.get(_index(event))
        if told is None:
            return
        match item.get("type"):
            case "reasoning":
                text = "" if told.any else text_of_item(item)
                signature = openai_signature(item)
                if text:
                    self._chunk({"reasoning_content": text, "reasoning_details": [self._detail(told, text=text)]}, out)
                if signature:
                    self._chunk({"reasoning_details": [self._detail(told, signature=signature)]}, out)
            case "function_call" if not told.any:
                self._piece(told, as_text(item.get("arguments") or "{}", "item.arguments"), "function", out)
            case "custom_tool_call" if not told.any and item.get("input"):
                self._piece(told, as_text(item["input"], "item.input"), "custom", out)

    def _piece(self, told: _Sent, piece: str, kind: str, out: Events) -> None:
        inner = {"function": {"arguments": piece}} if kind == "function" else {"custom": {"input": piece}}
        self._chunk({"tool_calls": [{"index": told.number, **inner}]}, out)

    def _thought(self, event: JsonObject) -> _Sent:
        index = _index(event)
        if index not in self._items:
            self._items[index] = _Sent(self._thoughts)
            self._thoughts += 1
        return self._items[index]

    def _detail(self, told: _Sent, *, text: str | None = None, signature: str | None = None) -> JsonObject:
        return {**text_detail(told.number, text=text, signature=signature), "format": "openai-responses-v1"}

    def _end(self, response: JsonObject, out: Events) -> None:
        self.usage = from_responses(response.get("usage"))
        if isinstance(response.get("service_tier"), str):
            self._head["service_tier"] = response["service_tier"]
        self._chunk({}, out, finish=finish_reason(response, calls=self._calls > 0))
        if self._tells_usage:
            out.append({**self._head, "choices": [], "usage": to_chat_completions(self.usage)})
        out.append(CHAT_DONE)
        self.closed = True

    def _chunk(self, delta: JsonObject, out: Events, *, finish: str | None = None, logprobs: JsonObject | None = None) -> None:
        choice: JsonObject = {"index": 0, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
        out.append({**self._head, "choices": [choice]})


def _index(event: JsonObject) -> int:
    index = event.get("output_index")
    return index if isinstance(index, int) else -1
