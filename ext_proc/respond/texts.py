"""Where the text is in the events of a stream: what models say, think and write into tool calls, in each client API.

A text of an answer (`Place.key`) comes in many events. A filter sees a longer stretch of it in an event of the same form.
"""

from collections.abc import Hashable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol

from ext_proc.codec.json_body import JsonObject
from ext_proc.continuation.merger import index_in
from ext_proc.translate.translation import MESSAGES, RESPONSES

Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a part of a text is."""

    key: tuple[Hashable, ...]
    """Which of the answer's texts it belongs to."""
    path: Path
    """To the part, in the event that brings it."""
    path_alone: Path
    """To the part, in an event that brings nothing else: see `alone`."""


class AnswerTexts(Protocol):
    """Finds texts in the events of one API."""

    def split(self, event: JsonObject) -> list[JsonObject]:
        """Return the same as several events if one brings a text and its end."""
        ...

    def parts(self, event: JsonObject) -> list[Place]:
        """Return where the event goes on with texts; empty parts are none."""
        ...

    def alone(self, event: JsonObject, place: Place, text: str) -> JsonObject:
        """Return an event that brings `text` in that place and nothing else."""
        ...

    def says_more(self, event: JsonObject, *, begins: bool) -> bool:
        """Tell if an event whose texts were taken out is still worth sending; `begins`: they were the first of their text."""
        ...

    def closes(self, event: JsonObject, place: Place) -> bool:
        """Tell if the event comes after the end of a text."""
        ...

    def repeats(self, event: JsonObject) -> list[Place]:
        """Return where the event repeats whole texts that came in parts."""
        ...


def read(event: Any, path: Path) -> Any:
    """Return what is at a path."""
    for step in path:
        event = event[step]
    return event


def written(event: Any, path: Path, value: Any) -> Any:
    """Return a copy of an event with another value at a path; what the path does not pass is shared."""
    if not path:
        return value
    step, *rest = path
    copy: Any = list(event) if isinstance(event, list) else {**event}
    copy[step] = written(event[step], tuple(rest), value)
    return copy


def without_logprobs(value: Any) -> Any:
    """Return a copy of an answer, or of an event, without logprobs: they repeat the text as the model has written it."""
    if isinstance(value, list):
        return [without_logprobs(entry) for entry in value]
    if not isinstance(value, dict):
        return value
    return {name: _without_logprobs(name, member) for name, member in value.items()}


def _without_logprobs(name: str, member: Any) -> Any:
    if name == "logprobs":
        return [] if isinstance(member, list) else None
    return without_logprobs(member) if name in _WITH_LOGPROBS else member


_WITH_LOGPROBS: Final = frozenset({"choices", "response", "output", "item", "part", "content"})


def _at(key: tuple[Hashable, ...], *path: str | int) -> Place:
    return Place(key, path, path)


def _is_text(value: object) -> bool:
    return isinstance(value, str) and value != ""


def _objects(value: object) -> Iterator[tuple[int, JsonObject]]:
    entries = value if isinstance(value, list) else ()
    return ((index, entry) for index, entry in enumerate(entries) if isinstance(entry, dict))


class ChatTexts:
    """Chat Completions, and the older Completions."""

    def split(self, event: JsonObject) -> list[JsonObject]:
        """See AnswerTexts."""
        choices = [choice for _, choice in _objects(event.get("choices"))]
        if not self.parts(event) or not any(choice.get("finish_reason") for choice in choices):
            return [event]
        open_ = {name: value for name, value in event.items() if name != "usage"}
        ends = [{**choice, **({"delta": {}} if "delta" in choice else {"text": ""})} for choice in choices]
        return [{**open_, "choices": [{**choice, "finish_reason": None} for choice in choices]}, {**event, "choices": ends}]

    def parts(self, event: JsonObject) -> list[Place]:
        """See AnswerTexts."""
        return [place for at, choice in _objects(event.get("choices")) for place in self._in_choice(at, choice)]

    def _in_choice(self, at: int, choice: JsonObject) -> Iterator[Place]:
        index = index_in(choice)
        if _is_text(choice.get("text")):
            yield Place((index, "text"), ("choices", at, "text"), ("choices", 0, "text"))
        delta = choice.get("delta")
        if isinstance(delta, dict):
            for key, path, alone in _in_delta(delta):
                yield Place((index, *key), ("choices", at, "delta", *path), ("choices", 0, "delta", *alone))

    def alone(self, event: JsonObject, place: Place, text: str) -> JsonObject:
        """See AnswerTexts."""
        choice: JsonObject = {"index": place.key[0], "finish_reason": None}
        if place.key[1] == "text":
            choice |= {"text": text, "logprobs": None}
        else:
            choice["delta"] = _delta_alone(event, place, text)
        kept = {name: value for name, value in event.items() if name not in ("choices", "usage", "obfuscation", "p")}
        return {**kept, "choices": [choice]}

    def says_more(self, event: JsonObject, *, begins: bool) -> bool:
        """See AnswerTexts."""
        return bool(event.get("usage")) or any(
            choice.get("finish_reason") or _says_more(choice.get("delta"), begins=begins)
            for _, choice in _objects(event.get("choices"))
        )

    def closes(self, event: JsonObject, place: Place) -> bool:
        """See AnswerTexts."""
        if event.get("error"):
            return True
        for _, choice in _objects(event.get("choices")):
            if index_in(choice) != place.key[0]:
                continue
            if choice.get("finish_reason") or _begins_another(choice.get("delta"), place):
                return True
        return False

    def repeats(self, event: JsonObject) -> list[Place]:
        """See AnswerTexts."""
        del event
        return []


_NO_TEXTS: Final = frozenset({"role", "tool_call_id", "name"})


def _in_delta(delta: JsonObject) -> Iterator[tuple[tuple[Hashable, ...], Path, Path]]:
    """Yield key, path, and path in an event that brings nothing else; fields that only some servers know are texts, too."""
    for name, value in delta.items():
        if _is_text(value) and name not in _NO_TEXTS:
            yield (name,), (name,), (name,)
    for at, call in _objects(delta.get("tool_calls")):
        for kind, field in (("function", "arguments"), ("custom", "input")):
            if _is_text(_member(call, kind, field)):
                yield ("tool", index_in(call), kind), ("tool_calls", at, kind, field), ("tool_calls", 0, kind, field)
    if _is_text(_member(delta, "function_call", "arguments")):
        yield ("function_call",), ("function_call", "arguments"), ("function_call", "arguments")
    for at, detail in _objects(delta.get("reasoning_details")):
        for field in ("text", "summary"):
            if _is_text(detail.get(field)):
                path: Path = ("reasoning_details", 0, field)
                yield ("reasoning_details", index_in(detail), detail.get("type"), field), _second(path, at), path


def _second(path: Path, at: int) -> Path:
    return (path[0], at, *path[2:])


def _member(holder: JsonObject, name: str, field: str) -> object:
    inner = holder.get(name)
    return inner.get(field) if isinstance(inner, dict) else None


def _delta_alone(event: JsonObject, place: Place, text: str) -> JsonObject:
    match place.key:
        case (_, "tool", index, "function"):
            return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}
        case (_, "tool", index, _):
            return {"tool_calls": [{"index": index, "custom": {"input": text}}]}
        case (_, "function_call"):
            return {"function_call": {"arguments": text}}
        case (_, "reasoning_details", _, _, field):
            return {"reasoning_details": [{**read(event, place.path[:-1]), field: text}]}
    return {str(place.key[1]): text}


def _says_more(delta: object, *, begins: bool) -> bool:
    if not isinstance(delta, dict):
        return False
    calls = [call for _, call in _objects(delta.get("tool_calls"))]
    others = {name: value for name, value in delta.items() if value and name not in ("tool_calls", "reasoning_details")}
    others.pop("function_call", None)
    if not begins:  # Some servers repeat it in each chunk.
        others.pop("role", None)
    details = [detail for _, detail in _objects(delta.get("reasoning_details"))]
    return (
        bool(others)
        or any(call.get("id") or _member(call, "function", "name") or _member(call, "custom", "name") for call in calls)
        or bool(_member(delta, "function_call", "name"))
        or any(detail.keys() - {"index", "type", "text", "summary", "format", "id"} for detail in details)
    )


def _begins_another(delta: object, place: Place) -> bool:
    """Tell if a delta comes after the end of a text: a tool's call after what was said, and that after what was thought."""
    if not isinstance(delta, dict):
        return False
    for _, call in _objects(delta.get("tool_calls")):
        begins = call.get("id") or _member(call, "function", "name") or _member(call, "custom", "name")
        if begins and place.key[1:3] != ("tool", index_in(call)):
            return True
    if delta.get("content"):
        return place.key[1] in _THOUGHTS
    details = (detail for _, detail in _objects(delta.get("reasoning_details")))
    return place.key[1] == "reasoning_details" and any(not detail.keys() & {"text", "summary"} for detail in details)


_THOUGHTS: Final = frozenset({"reasoning", "reasoning_content", "reasoning_details"})


class MessagesTexts:
    """Messages: deltas of content blocks, and blocks that begin with text."""

    def split(self, event: JsonObject) -> list[JsonObject]:
        """See AnswerTexts."""
        return [event]

    def parts(self, event: JsonObject) -> list[Place]:
        """See AnswerTexts."""
        holder = {"content_block_delta": "delta", "content_block_start": "content_block"}.get(str(event.get("type")), "")
        inner = event.get(holder)
        if not isinstance(inner, dict):
            return []
        index = index_in(event)
        return [
            Place((index, field), (holder, field), ("delta", field)) for field in _BLOCK_DELTAS if _is_text(inner.get(field))
        ]

    def alone(self, event: JsonObject, place: Place, text: str) -> JsonObject:
        """See AnswerTexts."""
        index, field = place.key
        kept = {name: value for name, value in event.items() if name not in ("content_block", "delta")}
        delta = {"type": _BLOCK_DELTAS[str(field)], field: text}
        return {**kept, "type": "content_block_delta", "index": index, "delta": delta}

    def says_more(self, event: JsonObject, *, begins: bool) -> bool:
        """See AnswerTexts."""
        del begins
        return event.get("type") != "content_block_delta"

    def closes(self, event: JsonObject, place: Place) -> bool:
        """See AnswerTexts."""
        match event.get("type"):
            case "content_block_stop":
                return index_in(event) == place.key[0]
            case "content_block_start":
                return index_in(event) != place.key[0]
            case "content_block_delta":
                delta = event.get("delta")
                return isinstance(delta, dict) and delta.get("type") == "signature_delta"
        return event.get("type") != "ping"

    def repeats(self, event: JsonObject) -> list[Place]:
        """See AnswerTexts."""
        del event
        return []


_BLOCK_DELTAS: Final = {"text": "text_delta", "thinking": "thinking_delta", "partial_json": "input_json_delta"}
"""Field that has a text -> type of the delta that brings it."""


class ResponsesTexts:
    """Responses: deltas, and the events that repeat what they have brought."""

    def split(self, event: JsonObject) -> list[JsonObject]:
        """See AnswerTexts."""
        return [event]

    def parts(self, event: JsonObject) -> list[Place]:
        """See AnswerTexts."""
        subject, _, verb = str(event.get("type")).removeprefix("response.").rpartition(".")
        if verb != "delta" or subject not in _SUBJECTS or not _is_text(event.get("delta")):
            return []
        return [_at(_key(event, *_SUBJECTS[subject]), "delta")]

    def alone(self, event: JsonObject, place: Place, text: str) -> JsonObject:
        """See AnswerTexts."""
        del place
        kept = {name: value for name, value in event.items() if name != "obfuscation"}
        return {**kept, "delta": text} | ({"logprobs": []} if "logprobs" in event else {})

    def says_more(self, event: JsonObject, *, begins: bool) -> bool:
        """See AnswerTexts."""
        del begins
        return not str(event.get("type")).endswith(".delta")

    def closes(self, event: JsonObject, place: Place) -> bool:
        """See AnswerTexts."""
        kind = str(event.get("type"))
        if kind == "error" or "response" in event:
            return True
        return kind.endswith(".done") and index_in(event, "output_index") == place.key[0]

    def repeats(self, event: JsonObject) -> list[Place]:
        """See AnswerTexts."""
        subject, _, verb = str(event.get("type")).removeprefix("response.").rpartition(".")
        if verb == "done" and subject in _SUBJECTS:
            holder, number, field = _SUBJECTS[subject]
            return [_at(_key(event, holder, number, field), field)] if _is_text(event.get(field)) else []
        if isinstance(event.get("part"), dict):
            holder, number = ("content", "content_index") if subject == "content_part" else ("summary", "summary_index")
            return [
                _at(_key(event, holder, number, field), "part", field)
                for field in ("text", "refusal")
                if _is_text(event["part"].get(field))
            ]
        if isinstance(event.get("item"), dict):
            return list(_in_item(index_in(event, "output_index"), event["item"], ("item",)))
        output = event["response"].get("output") if isinstance(event.get("response"), dict) else None
        return [place for at, item in _objects(output) for place in _in_item(at, item, ("response", "output", at))]


_SUBJECTS: Final = {
    "output_text": ("content", "content_index", "text"),
    "refusal": ("content", "content_index", "refusal"),
    "reasoning_text": ("content", "content_index", "text"),
    "reasoning_summary_text": ("summary", "summary_index", "text"),
    "function_call_arguments": ("", "", "arguments"),
    "mcp_call_arguments": ("", "", "arguments"),
    "custom_tool_call_input": ("", "", "input"),
    "code_interpreter_call_code": ("", "", "code"),
}
"""What deltas are about -> the list of the item that has the text, the field that counts its entries, and the text's name."""


def _key(event: JsonObject, holder: str, number: str, field: str) -> tuple[Hashable, ...]:
    index = index_in(event, "output_index")
    return (index, holder, index_in(event, number), field) if holder else (index, field)


def _in_item(index: int, item: JsonObject, path: Path) -> Iterator[Place]:
    for field in ("arguments", "input", "code"):
        if _is_text(item.get(field)):
            yield _at((index, field), *path, field)
    for holder in ("content", "summary"):
        for at, part in _objects(item.get(holder)):
            for field in ("text", "refusal"):
                if _is_text(part.get(field)):
                    yield _at((index, holder, at, field), *path, holder, at, field)


_TEXTS: Final[dict[str, AnswerTexts]] = {MESSAGES: MessagesTexts(), RESPONSES: ResponsesTexts()}


def texts_of(api: str) -> AnswerTexts:
    """Return how texts are found in the events of an API."""
    return _TEXTS.get(api, _CHAT)


_CHAT: Final = ChatTexts()
