"""Chunks of a chat stream -> events of a Responses stream, which `responses.events` writes."""

from collections.abc import Iterable
from dataclasses import replace

from ext_proc.apis.chat_completions.usage import from_chat_completions
from ext_proc.apis.errors import ProviderError
from ext_proc.apis.readers import CHAT_DONE
from ext_proc.apis.usage import NO_USAGE, Usage
from ext_proc.codec.json_body import JsonObject
from ext_proc.translate.chat_completions.reasoning import Thought, mistral_thoughts, thoughts_of
from ext_proc.translate.chat_completions.tool_deltas import Step, ToolDeltas
from ext_proc.translate.json_fields import as_list, as_object
from ext_proc.translate.messages_over_chat_completions.response import text_of
from ext_proc.translate.responses import compaction
from ext_proc.translate.responses.events import ResponseEvents
from ext_proc.translate.responses.logprobs import of_choice, wants_logprobs
from ext_proc.translate.responses.response_object import annotations_of, outcome
from ext_proc.translate.responses.tools import read_tools
from ext_proc.translate.translation import Exchange


class ResponsesOverChatCompletionsStream:
    """The state machine of one stream."""

    def __init__(self, exchange: Exchange) -> None:
        self.usage: Usage = NO_USAGE
        self.model = ""
        self.closed = False
        self._events = ResponseEvents(exchange)
        self._asked_model = exchange.upstream_model
        self._client_tools = read_tools(exchange.request, replace(exchange, warnings=[]))
        self._tells_logprobs = wants_logprobs(exchange.request)
        self._tools = ToolDeltas(exchange.id)
        self._late: list[str] = []
        """Text after the beginning of a tool call, which it must not close."""
        self._compacts = compaction.is_asked_for(exchange.request)
        self._has_summary = False
        self._tier: object = None
        self._finish: object = None

    def event(self, event: JsonObject) -> Iterable[JsonObject]:
        """Take one chunk."""
        if event is CHAT_DONE:
            return self.end()
        self._describe(event)
        choices = as_list(event.get("choices"), "choices")
        if choices or self.model:
            # Azure's first chunk only has prompt filter results: neither id nor model.
            self._events.start(self.model or self._asked_model)
        for choice in choices:
            if as_object(choice, "choices[0]").get("index", 0) == 0:
                self._choice(choice)
        return self._events.take()

    def end(self) -> Iterable[JsonObject]:
        """Process [DONE], or the end of the stream: complete only if there is a finish reason."""
        if self._finish is not None and (self._has_summary or not self._compacts):
            self._end()
        return self._events.take()

    def fail(self, error: ProviderError) -> Iterable[JsonObject]:
        """Return the failed response."""
        self.closed = True
        self._events.fail(error, self.usage)
        return self._events.take()

    def _describe(self, chunk: JsonObject) -> None:
        if isinstance(chunk.get("model"), str) and chunk["model"]:
            self.model = chunk["model"]
        self._tier = chunk.get("service_tier") or self._tier
        groq = chunk.get("x_groq")
        counted = chunk.get("usage") or (groq.get("usage") if isinstance(groq, dict) else None)
        if counted:
            self.usage = from_chat_completions(counted)

    def _choice(self, choice: JsonObject) -> None:
        delta = as_object(choice.get("delta") or {}, "choices[0].delta")
        content = delta.get("content")
        if self._compacts:
            self._summarise(text_of(content, "content") if content else "")
            self._finish_with(choice)
            return
        thoughts = thoughts_of(delta)
        if not thoughts and isinstance(content, list) and (text := mistral_thoughts(content, "content")):
            thoughts = [Thought("", text)]
        for thought in thoughts:
            if thought.encrypted:
                self._events.seal(thought.encrypted)
            else:
                self._events.think(thought.key, thought.text, thought.signature)
        if content:
            self._say(text_of(content, "content"), of_choice(choice) if self._tells_logprobs else [])
        for annotation in annotations_of(delta):
            self._events.annotate(annotation)
        refusal = delta.get("refusal")
        if isinstance(refusal, str) and refusal:
            self._events.say(refusal, "refusal")
        if delta.get("tool_calls"):
            self._call(self._tools.add(delta["tool_calls"], "choices[0].delta.tool_calls"))
        self._finish_with(choice)

    def _finish_with(self, choice: JsonObject) -> None:
        if choice.get("finish_reason") is not None:
            self._finish = choice["finish_reason"]
            if choice.get("usage"):  # Kimi always reports usage here.
                self.usage = from_chat_completions(choice["usage"])

    def _summarise(self, text: str) -> None:
        if text:
            self._has_summary = self._has_summary or not text.isspace()
            self._events.summarise(text)

    def _say(self, text: str, logprobs: list[JsonObject]) -> None:
        if self._tools.calls:
            self._late.append(text)
        elif text:
            self._events.say(text, "output_text", logprobs)

    def _call(self, steps: list[Step], *, last_status: str = "completed") -> None:
        for step in steps:
            if step.opens:
                if step.call.signature:
                    self._events.seal(step.call.signature)
                self._events.call(self._client_tools.client_tool(step.call.name), step.call.id)
            if step.arguments:
                self._events.arguments(step.arguments)
            if step.closes:
                last = step.call is self._tools.calls[-1] and not any(self._late)
                self._events.close(last_status if last else "completed")

    def _end(self) -> None:
        status, details = outcome(self._finish)
        self._call(self._tools.finish(), last_status=status)
        late = "".join(self._late)
        if late:
            self._events.say(late, "output_text")
        self._events.complete(status=status, details=details, usage=self.usage, service_tier=self._tier, model=self.model)
        self.closed = True
