"""Messages: the content blocks of all agents in one message; each block names its agent."""

from collections.abc import Iterator, Sequence

from ext_proc.apis.messages.usage import from_messages, to_messages
from ext_proc.codec.json_body import JsonObject
from ext_proc.orchestration.part import AGENT_FIELD, Part, label, total


class MessagesMerger:
    """A StreamMerger."""

    def __init__(self, answer_id: str) -> None:
        self.parts: list[Part] = []
        self._id = f"msg_{answer_id}"
        self._label = ""
        self._has_started = False
        self._first_block = 0
        self._blocks = 0
        self._open: set[int] = set()
        self._counts: JsonObject = {}
        self._stop_sequence: object = None

    def begin(self, agent: str, *, labelled: bool) -> None:
        """See StreamMerger."""
        self.parts.append(Part(agent))
        self._label = label(agent) if labelled else ""
        self._first_block, self._counts, self._stop_sequence = self._blocks, {}, None

    def event(self, event: JsonObject) -> Iterator[JsonObject]:
        """See StreamMerger."""
        match event:
            case {"type": "message_start", "message": dict(message)}:
                self._count(message.get("usage"))
                yield from self._start(message)
            case {"type": "content_block_start", "content_block": dict(block)}:
                yield from self._block(event, block)
            case {"type": "content_block_delta" | "content_block_stop"}:
                yield from self._within(event)
            case {"type": "message_delta"}:
                self._end(event)
            case {"type": "message_stop"}:
                self.parts[-1].is_complete = True
            case _:
                yield event

    def note(self, text: str) -> Iterator[JsonObject]:
        """See StreamMerger."""
        yield from self._start({})
        index, self._blocks = self._blocks, self._blocks + 1
        block = {"type": "text", "text": "", AGENT_FIELD: self.parts[-1].agent}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield _text_delta(index, self._label + text)
        self._label = ""
        yield {"type": "content_block_stop", "index": index}

    def end(self) -> Iterator[JsonObject]:
        """See StreamMerger."""
        for index in sorted(self._open):
            yield {"type": "content_block_stop", "index": index}
        self._open.clear()

    def finish(self) -> Iterator[JsonObject]:
        """See StreamMerger."""
        yield from self._start({})
        stop = self.parts[-1].stop if self.parts else ""
        delta = {"stop_reason": stop or "end_turn", "stop_sequence": self._stop_sequence}
        yield {"type": "message_delta", "delta": delta, "usage": to_messages(total(self.parts))}
        yield {"type": "message_stop"}

    def _start(self, message: JsonObject) -> Iterator[JsonObject]:
        if self._has_started:
            return
        self._has_started = True
        empty = {"type": "message", "role": "assistant", "model": "", "stop_reason": None, "stop_sequence": None}
        usage = {"usage": to_messages(self.parts[-1].usage)} if self.parts else {}
        yield {"type": "message_start", "message": {**empty, **message, **usage, "id": self._id, "content": []}}

    def _block(self, event: JsonObject, block: JsonObject) -> Iterator[JsonObject]:
        index = self._index(event)
        self._blocks = max(self._blocks, index + 1)
        self._open.add(index)
        if block.get("type") == "tool_use":
            self.parts[-1].calls_tools = True
        yield {**event, "index": index, "content_block": {**block, AGENT_FIELD: self.parts[-1].agent}}
        if self._label and block.get("type") == "text":
            yield _text_delta(index, self._label)
            self._label = ""

    def _within(self, event: JsonObject) -> Iterator[JsonObject]:
        delta = event.get("delta")
        if isinstance(delta, dict) and isinstance(delta.get("text"), str):
            self.parts[-1].text += delta["text"]
        index = self._index(event)
        if event["type"] == "content_block_stop":
            self._open.discard(index)
        yield {**event, "index": index}

    def _end(self, event: JsonObject) -> None:
        self._count(event.get("usage"))
        delta = event.get("delta")
        if isinstance(delta, dict):
            self.parts[-1].stop = str(delta.get("stop_reason") or "")
            self._stop_sequence = delta.get("stop_sequence")

    def _count(self, usage: object) -> None:
        """Counts of message_delta are totals; missing ones keep the value of message_start."""
        if isinstance(usage, dict):
            self._counts |= {name: count for name, count in usage.items() if count is not None}
            self.parts[-1].usage = from_messages(self._counts)

    def _index(self, event: JsonObject) -> int:
        index = event.get("index", 0)
        return self._first_block + (index if isinstance(index, int) else 0)


def _text_delta(index: int, text: str) -> JsonObject:
    return {"type": "content_block_delta", "index": index, "delta": {"type": "text_delta", "text": text}}


def read_whole(agent: str, body: JsonObject) -> Part:
    """Read one agent's whole answer."""
    blocks = _blocks(body)
    text = "".join(block["text"] for block in blocks if isinstance(block.get("text"), str))
    stop = str(body.get("stop_reason") or "")
    calls = any(block.get("type") == "tool_use" for block in blocks)
    return Part(agent, text, from_messages(body.get("usage")), stop, calls_tools=calls, is_complete=bool(stop))


def merge_whole(answers: Sequence[tuple[Part, JsonObject]], answer_id: str, *, labelled: bool) -> JsonObject:
    """Merge several messages."""
    content = [block for part, body in answers for block in _marked(part.agent, body, labelled=labelled)]
    usage = to_messages(total(part for part, _ in answers))
    common = {name: value for _, body in answers for name, value in body.items()}
    return {**common, "id": f"msg_{answer_id}", "content": content, "usage": usage}


def whole_note(text: str) -> JsonObject:
    """Return a note of the gateway in an agent's place, as an answer."""
    return {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn", "stop_sequence": None}


def _marked(agent: str, body: JsonObject, *, labelled: bool) -> Iterator[JsonObject]:
    lead = label(agent) if labelled else ""
    for block in _blocks(body):
        if lead and isinstance(block.get("text"), str):
            yield {**block, "text": lead + block["text"], AGENT_FIELD: agent}
            lead = ""
        else:
            yield {**block, AGENT_FIELD: agent}


def _blocks(body: JsonObject) -> list[JsonObject]:
    content = body.get("content")
    return [block for block in content if isinstance(block, dict)] if isinstance(content, list) else []
