"""Responses: the output items of all agents in one response; each item names its agent."""

from collections.abc import Iterator, Sequence
from typing import Final

from ext_proc.apis.responses.usage import from_responses, to_responses
from ext_proc.codec.json_body import JsonObject
from ext_proc.orchestration.part import AGENT_FIELD, Part, label, total

_CALLS: Final = frozenset({"function_call", "custom_tool_call"})
_LAST: Final = frozenset({"response.completed", "response.incomplete"})
_Place = tuple[int, int]
"""Output index and content index of a text."""


class ResponsesMerger:
    """A StreamMerger."""

    def __init__(self, answer_id: str, created: int) -> None:
        self.parts: list[Part] = []
        self._same: JsonObject = {"id": f"resp_{answer_id}", "object": "response", "created_at": created}
        self._sequence_number = -1
        self._has_started = False
        self._output: list[JsonObject] = []
        self._first_item = 0
        self._items = 0
        self._label = ""
        self._labelled: dict[_Place, str] = {}
        self._last: JsonObject = {}
        self._open: dict[int, JsonObject] = {}
        """Open items."""
        self._shown: dict[_Place, str] = {}
        """Their texts so far."""

    def begin(self, agent: str, *, labelled: bool) -> None:
        """See StreamMerger."""
        self.parts.append(Part(agent))
        self._label = label(agent) if labelled else ""
        self._first_item = self._items

    def event(self, event: JsonObject) -> Iterator[JsonObject]:
        """See StreamMerger."""
        kind, response = str(event.get("type")), event.get("response")
        if isinstance(response, dict):
            yield from self._about(kind, response, event)
        elif "output_index" in event:
            yield from self._within(kind, self._moved(event))
        else:
            yield self._numbered(event)

    def note(self, text: str) -> Iterator[JsonObject]:
        """See StreamMerger."""
        yield from self._start({})
        text, self._label = self._label + text, ""
        index, self._items = self._items, self._items + 1
        item = {**_message(text, f"msg_{self._same['id']}_{index}"), AGENT_FIELD: self.parts[-1].agent}
        self._output.append(item)
        at = {"item_id": item["id"], "output_index": index, "content_index": 0}
        begun = {**item, "status": "in_progress", "content": []}
        for event in (
            {"type": "response.output_item.added", "output_index": index, "item": begun},
            {"type": "response.content_part.added", **at, "part": _output_text("")},
            {"type": "response.output_text.delta", **at, "delta": text, "logprobs": []},
            {"type": "response.output_text.done", **at, "text": text, "logprobs": []},
            {"type": "response.content_part.done", **at, "part": _output_text(text)},
            {"type": "response.output_item.done", "output_index": index, "item": item},
        ):
            yield self._numbered(event)

    def end(self) -> Iterator[JsonObject]:
        """See StreamMerger."""
        for index, item in sorted(self._open.items()):
            parts = [(place, _output_text(text)) for place, text in sorted(self._shown.items()) if place[0] == index]
            for place, part in parts:
                at = {"item_id": item.get("id"), "output_index": index, "content_index": place[1]}
                yield self._numbered({"type": "response.output_text.done", **at, "text": part["text"], "logprobs": []})
                yield self._numbered({"type": "response.content_part.done", **at, "part": part})
            content = {"content": [part for _, part in parts]} if parts else {}
            done = {**item, **content, "status": "incomplete"}
            self._output.append(done)
            yield self._numbered({"type": "response.output_item.done", "output_index": index, "item": done})
        self._open.clear()
        self._shown.clear()

    def finish(self) -> Iterator[JsonObject]:
        """See StreamMerger."""
        yield from self._start({})
        status = self.parts[-1].stop if self.parts else ""
        status = status if status == "incomplete" else "completed"
        response = {**self._last, **self._same, "status": status, "output": self._output}
        response["usage"] = to_responses(total(self.parts))
        yield self._numbered({"type": f"response.{status}", "response": response})

    def _about(self, kind: str, response: JsonObject, event: JsonObject) -> Iterator[JsonObject]:
        part = self.parts[-1]
        if kind in _LAST:
            self._last = response
            part.usage, part.stop, part.is_complete = from_responses(response.get("usage")), kind.partition(".")[2], True
        elif kind == "response.created":
            yield from self._start(response)
        elif len(self.parts) == 1:
            yield self._numbered({**event, "response": {**response, **self._same}})

    def _start(self, response: JsonObject) -> Iterator[JsonObject]:
        if self._has_started:
            return
        self._has_started = True
        empty = {"model": "", "status": "in_progress", "output": [], "tools": [], "tool_choice": "auto"}
        yield self._numbered(
            {"type": "response.created", "response": {**empty, "parallel_tool_calls": True, **response, **self._same}}
        )

    def _within(self, kind: str, event: JsonObject) -> Iterator[JsonObject]:
        index, item = event["output_index"], event.get("item")
        self._items = max(self._items, index + 1)
        if isinstance(item, dict):
            item = {**self._with_label(item, index), AGENT_FIELD: self.parts[-1].agent}
            event = {**event, "item": item}
            self._note_item(kind, index, item)
        place = index, event.get("content_index", 0)
        if kind == "response.output_text.delta":
            yield from self._text(event, place)
            return
        if place in self._labelled:
            event = _prefixed(event, self._labelled[place])
        yield self._numbered(event)

    def _note_item(self, kind: str, index: int, item: JsonObject) -> None:
        if kind == "response.output_item.added":
            self._open[index] = item
        elif kind == "response.output_item.done":
            self._open.pop(index, None)
            self._output.append(item)
            self.parts[-1].calls_tools |= item.get("type") in _CALLS

    def _text(self, event: JsonObject, place: _Place) -> Iterator[JsonObject]:
        said = event["delta"] if isinstance(event.get("delta"), str) else ""
        self.parts[-1].text += said
        self._shown[place] = self._shown.get(place, "") + self._label + said
        if self._label:
            yield self._numbered({**event, "delta": self._label, "logprobs": []})
            self._labelled[place], self._label = self._label, ""
        yield self._numbered(event)

    def _with_label(self, item: JsonObject, index: int) -> JsonObject:
        content = item.get("content")
        if not isinstance(content, list):
            return item
        labels = [self._labelled.get((index, number), "") for number in range(len(content))]
        return {**item, "content": [_led(part, lead) for part, lead in zip(content, labels, strict=True)]}

    def _moved(self, event: JsonObject) -> JsonObject:
        index = event["output_index"]
        return {**event, "output_index": self._first_item + (index if isinstance(index, int) else 0)}

    def _numbered(self, event: JsonObject) -> JsonObject:
        self._sequence_number += 1
        return {**event, "sequence_number": self._sequence_number}


def _message(text: str, item_id: str) -> JsonObject:
    return {"type": "message", "id": item_id, "role": "assistant", "status": "completed", "content": [_output_text(text)]}


def _output_text(text: str) -> JsonObject:
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": []}


def _prefixed(event: JsonObject, lead: str) -> JsonObject:
    """Put the label before the text that `done` events repeat."""
    if isinstance(event.get("text"), str):
        return {**event, "text": lead + event["text"]}
    return {**event, "part": _led(event.get("part"), lead)} if event.get("type") == "response.content_part.done" else event


def _led(part: object, lead: str) -> object:
    return (
        {**part, "text": lead + part["text"]} if lead and isinstance(part, dict) and isinstance(part.get("text"), str) else part
    )


def read_whole(agent: str, body: JsonObject) -> Part:
    """Read one agent's whole answer."""
    items = _items(body)
    text = "".join(
        part["text"]
        for item in items
        for part in item.get("content") or ()
        if isinstance(part, dict) and part.get("type") == "output_text" and isinstance(part.get("text"), str)
    )
    status = str(body.get("status") or "")
    calls = any(item.get("type") in _CALLS for item in items)
    is_complete = status in ("completed", "incomplete")
    return Part(agent, text, from_responses(body.get("usage")), status, calls_tools=calls, is_complete=is_complete)


def merge_whole(answers: Sequence[tuple[Part, JsonObject]], answer_id: str, *, labelled: bool) -> JsonObject:
    """Merge several responses."""
    output = [item for part, body in answers for item in _marked(part.agent, body, labelled=labelled)]
    usage = to_responses(total(part for part, _ in answers))
    common = {name: value for _, body in answers for name, value in body.items()}
    return {**common, "id": f"resp_{answer_id}", "output": output, "usage": usage}


def whole_note(text: str) -> JsonObject:
    """Return a note of the gateway in an agent's place, as an answer."""
    return {"output": [_message(text, "msg_note")], "status": "completed"}


def _marked(agent: str, body: JsonObject, *, labelled: bool) -> Iterator[JsonObject]:
    lead = label(agent) if labelled else ""
    for item in _items(body):
        content = item.get("content")
        if lead and item.get("type") == "message" and isinstance(content, list) and content:
            yield {**item, "content": [_led(content[0], lead), *content[1:]], AGENT_FIELD: agent}
            lead = ""
        else:
            yield {**item, AGENT_FIELD: agent}


def _items(body: JsonObject) -> list[JsonObject]:
    output = body.get("output")
    return [item for item in output if isinstance(item, dict)] if isinstance(output, list) else []
