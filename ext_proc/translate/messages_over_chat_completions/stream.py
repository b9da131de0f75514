"""Chunks of a chat stream -> events of a message stream.

before  --any chunk-->  message_start
thinking, text, tools: at most one content block is open; a delta of another kind closes it and opens the next index
finish_reason  -->  kept: usage follows in a separate chunk
[DONE], end    -->  content_block_stop, message_delta (stop reason, usage), message_stop
"""

from collections.abc import Iterable

from ext_proc.apis.chat_completions.usage import from_chat_completions
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.messages.spec import messages_failure
from ext_proc.apis.readers import CHAT_DONE
from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import Thought, mistral_thoughts, thoughts_of
from ext_proc.translate.chat_completions.tool_deltas import Step, ToolDeltas
from ext_proc.translate.json_fields import as_list, as_object
from ext_proc.translate.messages_over_chat_completions.response import citation, message_usage, stop_reason, text_of
from ext_proc.translate.responses.response_object import annotations_of
from ext_proc.translate.translation import Exchange

Events = list[JsonObject]


class MessagesOverChatCompletionsStream:
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self.usage: Usage = NO_USAGE
        self.model = ""
        self.closed = False
        self._id, self._asked_model = exchange.id, exchange.upstream_model
        self._started = False
        self._tier: object = None
        self._finish: object = None
        self._refused = False
        self._tools = ToolDeltas(exchange.id)
        self._said: list[str] = []
        self._late: list[str] = []
        """Text after the beginning of a tool call, which it must not close."""
        self._index = -1
        self._open: str | None = None
        """The kind of the open block: text, tool, or thinking with the key of its deltas."""

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one chunk."""
        if event is CHAT_DONE:
            return self.end()
        out: Events = []
        self._describe(event)
        choices = as_list(event.get("choices"), "choices")
        if not self._started and (choices or self.model):
            # Azure's first chunk only has prompt filter results: neither id nor model.
            self._start(event, out)
        for choice in choices:
            if as_object(choice, "choices[0]").get("index", 0) == 0:
                self._choice(choice, out)
        return out

    def end(self) -> Iterable[JsonObject]:
        """Process [DONE], or the end of the stream: complete only if there is a finish reason."""
        out: Events = []
        if self._finish is not None:
            self._end(out)
        return out

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the error event."""
        self.closed = True
        return messages_failure(error)

    def _describe(self, chunk: JsonObject) -> None:
        if isinstance(chunk.get("model"), str) and chunk["model"]:
            self.model = chunk["model"]
        self._tier = chunk.get("service_tier") or self._tier
        groq = chunk.get("x_groq")
        counted = chunk.get("usage") or (groq.get("usage") if isinstance(groq, dict) else None)
        if counted:
            self.usage = from_chat_completions(counted)

    def _start(self, chunk: JsonObject, out: Events) -> None:
        self._started = True
        ident = chunk.get("id")
        message: JsonObject = {
            "id": ident if isinstance(ident, str) and ident else f"msg_{self._id}",
            "type": "message",
            "role": "assistant",
            "model": self.model or self._asked_model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": message_usage(self.usage, self._tier),
        }
        out.append({"type": "message_start", "message": message})

    def _choice(self, choice: JsonObject, out: Events) -> None:
        delta = as_object(choice.get("delta") or {}, "choices[0].delta")
        content = delta.get("content")
        thoughts = thoughts_of(delta)
        if not thoughts and isinstance(content, list) and (text := mistral_thoughts(content, "content")):
            thoughts = [Thought("", text)]
        for thought in thoughts:
            self._think(thought, out)
        if content:
            self._say(text_of(content, "content"), "text", out)
        for note in annotations_of(delta):
            self._cite(note, out)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._refused = True
            self._say(refusal, "refusal", out)
        if delta.get("tool_calls"):
            self._call(self._tools.add(delta["tool_calls"], "choices[0].delta.tool_calls"), out)
        if choice.get("finish_reason") is not None:
            self._finish = choice["finish_reason"]
            if choice.get("usage"):  # Kimi always reports usage here.
                self.usage = from_chat_completions(choice["usage"])

    def _think(self, thought: Thought, out: Events) -> None:
        if thought.encrypted:
            self._seal(thought.encrypted, out)
            return
        kind = f"thinking {thought.key}"
        if self._open != kind:
            self._begin(kind, {"type": "thinking", "thinking": "", "signature": ""}, out)
        if thought.text:
            self._delta({"type": "thinking_delta", "thinking": thought.text}, out)
        if thought.signature:
            self._delta({"type": "signature_delta", "signature": thought.signature}, out)

    def _seal(self, data: str, out: Events) -> None:
        if data:
            self._begin("redacted", {"type": "redacted_thinking", "data": data}, out)
            self._stop(out)

    def _say(self, text: str, kind: str, out: Events) -> None:
        if not text:
            return
        if self._tools.calls:
            self._late.append(text)
            return
        if self._open != kind:
            self._begin(kind, {"type": "text", "text": ""}, out)
        self._said.append(text)
        self._delta({"type": "text_delta", "text": text}, out)

    def _cite(self, annotation: JsonObject, out: Events) -> None:
        if self._open != "text":
            return  # A citation belongs to a text that is open.
        self._delta({"type": "citations_delta", "citation": citation(annotation, "".join(self._said))}, out)

    def _call(self, steps: list[Step], out: Events) -> None:
        for step in steps:
            if step.opens:
                self._seal(step.call.signature, out)
                block = {"type": "tool_use", "id": step.call.id, "name": step.call.name, "input": {}}
                self._begin("tool", block, out)
            if step.arguments:
                self._delta({"type": "input_json_delta", "partial_json": step.arguments}, out)
            if step.closes:
                self._stop(out)

    def _begin(self, kind: str, block: JsonObject, out: Events) -> None:
        self._stop(out)
        self._open = kind
        self._index += 1
        out.append({"type": "content_block_start", "index": self._index, "content_block": block})

    def _delta(self, delta: JsonObject, out: Events) -> None:
        out.append({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _stop(self, out: Events) -> None:
        if self._open is not None:
            self._open = None
            out.append({"type": "content_block_stop", "index": self._index})

    def _end(self, out: Events) -> None:
        self._call(self._tools.finish(), out)
        if self._late:
            self._begin("text", {"type": "text", "text": ""}, out)
            self._delta({"type": "text_delta", "text": "".join(self._late)}, out)
        self._stop(out)
        reason = stop_reason(self._finish, calls=bool(self._tools.calls), refused=self._refused)
        used = message_usage(self.usage, None)
        out.append({"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": used})
        out.append({"type": "message_stop"})
        self.closed = True
