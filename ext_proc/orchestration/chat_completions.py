"""Chat Completions: the parts of all agents in one text; each chunk names its agent."""

from collections.abc import Iterable, Iterator, Sequence

from ext_proc.apis.chat_completions.usage import from_chat_completions, to_chat_completions
from ext_proc.apis.readers import CHAT_DONE
from ext_proc.codec.json_body import JsonObject
from ext_proc.orchestration.part import AGENT_FIELD, Part, label, total

_SAME = ("id", "object", "created")
"""Fields that all chunks of an answer share."""


class ChatMerger:
    """A StreamMerger."""

    def __init__(self, answer_id: str, created: int, *, reports_usage: bool) -> None:
        self.parts: list[Part] = []
        self._same: JsonObject = {"id": f"chatcmpl-{answer_id}", "object": "chat.completion.chunk", "created": created}
        self._reports_usage = reports_usage
        self._model = ""
        self._label = ""
        self._has_role = self._has_text = False
        self._first_call = 0
        self._calls = 0

    def begin(self, agent: str, *, labelled: bool) -> None:
        """See StreamMerger."""
        gap = "\n\n" if self._has_text else ""
        self.parts.append(Part(agent))
        self._label = gap + label(agent) if labelled else gap
        self._first_call = self._calls

    def event(self, event: JsonObject) -> Iterator[JsonObject]:
        """See StreamMerger."""
        if event is CHAT_DONE:
            return
        part = self.parts[-1]
        if isinstance(event.get("model"), str):
            self._model = event["model"]
        if event.get("usage"):
            part.usage = from_chat_completions(event["usage"])
        choices = event.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            if isinstance(choice, dict):
                yield from self._choice(choice, event)

    def note(self, text: str) -> Iterator[JsonObject]:
        """See StreamMerger."""
        said = self.parts[-1].text
        yield from self._say({"content": text}, {})
        self.parts[-1].text = said

    def end(self) -> Iterable[JsonObject]:
        """See StreamMerger."""
        return ()

    def finish(self) -> Iterator[JsonObject]:
        """See StreamMerger."""
        stop = self.parts[-1].stop if self.parts else ""
        yield self._chunk({}, {}, stop or "stop")
        if self._reports_usage:
            yield {**self._same, "model": self._model, "choices": [], "usage": to_chat_completions(total(self.parts))}
        yield CHAT_DONE

    def _choice(self, choice: JsonObject, event: JsonObject) -> Iterator[JsonObject]:
        part, delta = self.parts[-1], choice.get("delta")
        if isinstance(delta, dict):
            yield from self._say({name: value for name, value in delta.items() if name != "role" and value}, event)
        if choice.get("finish_reason"):
            part.stop, part.is_complete = str(choice["finish_reason"]), True

    def _say(self, delta: JsonObject, event: JsonObject) -> Iterator[JsonObject]:
        part = self.parts[-1]
        if isinstance(delta.get("content"), str):
            part.text, self._has_text = part.text + delta["content"], True
            if self._label:
                yield self._chunk(self._with_role({"content": self._label}), {}, None)
                self._label = ""
        if isinstance(delta.get("tool_calls"), list):
            part.calls_tools = True
            delta = {**delta, "tool_calls": [self._call(call) for call in delta["tool_calls"]]}
        if delta:
            yield self._chunk(self._with_role(delta), event, None)

    def _with_role(self, delta: JsonObject) -> JsonObject:
        if self._has_role:
            return delta
        self._has_role = True
        return {"role": "assistant", **delta}

    def _call(self, call: object) -> object:
        """Number the calls of all agents consecutively."""
        if not isinstance(call, dict):
            return call
        index = call.get("index", 0)
        index = self._first_call + (index if isinstance(index, int) else 0)
        self._calls = max(self._calls, index + 1)
        return {**call, "index": index}

    def _chunk(self, delta: JsonObject, event: JsonObject, stop: str | None) -> JsonObject:
        rest = {name: value for name, value in event.items() if name not in ("usage", "choices")}
        agent = {AGENT_FIELD: self.parts[-1].agent} if self.parts else {}
        choices = [{"index": 0, "delta": delta, "finish_reason": stop}]
        return {**rest, **self._same, "model": self._model, **agent, "choices": choices}


def read_whole(agent: str, body: JsonObject) -> Part:
    """Read one agent's whole answer."""
    choice = _first_choice(body)
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    part = Part(agent, text=text_of(message.get("content")), usage=from_chat_completions(body.get("usage")))
    part.stop = str(choice.get("finish_reason") or "")
    part.calls_tools, part.is_complete = bool(message.get("tool_calls")), bool(part.stop)
    return part


def merge_whole(answers: Sequence[tuple[Part, JsonObject]], answer_id: str, *, labelled: bool) -> JsonObject:
    """Merge several completions: one message, and every agent's part under `agents`."""
    common = {name: value for _, body in answers for name, value in body.items()}
    messages = [message for _, body in answers if isinstance(message := _first_choice(body).get("message"), dict)]
    parts = [part for part, _ in answers]
    said = [(label(part.agent) if labelled else "") + part.text for part in parts if part.text]
    calls = [call for message in messages for call in message.get("tool_calls") or ()]
    message = {**(messages[-1] if messages else {}), "role": "assistant", "content": "\n\n".join(said) or None}
    if calls:
        message["tool_calls"] = calls
    return {
        **common,
        "id": f"chatcmpl-{answer_id}",
        "choices": [{"index": 0, "message": message, "finish_reason": parts[-1].stop}],
        "usage": to_chat_completions(total(parts)),
        "agents": [
            {"id": part.agent, "content": part.text, "finish_reason": part.stop, "usage": to_chat_completions(part.usage)}
            for part in parts
        ],
    }


def whole_note(text: str) -> JsonObject:
    """Return a note of the gateway in an agent's place, as an answer."""
    return {"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def text_of(content: object) -> str:
    """Return the text of a message's content: a string, or the text parts of a list."""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else ()
    return "".join(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def _first_choice(body: JsonObject) -> JsonObject:
    choices = body.get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return first if isinstance(first, dict) else {}
