"""Messages of Anthropic's API -> messages of Chat Completions: roles, content blocks, tool calls and results, in order.

One Anthropic message may become several: tool results are separate messages in Chat Completions, and must follow the calls
directly. Images and files, which tool messages cannot contain, follow in a user message that names their call.
"""

from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.reasoning import POSITION, Placed, detail_of
from ext_proc.translate.chat_completions.signatures import read_signature, sign_calls
from ext_proc.translate.chat_completions.tool_results import split_tool_result
from ext_proc.translate.json_fields import (
    as_object,
    dump,
    kind_of,
    lone_text,
    objects,
    parts_of,
    text_in,
    unsupported,
    unsupported_kind,
)
from ext_proc.translate.messages.tools import PROVIDERS_OWN
from ext_proc.translate.parts import data_url, media_type_of, text_of_data
from ext_proc.translate.provider_tools import leave_out
from ext_proc.translate.translation import CHAT_COMPLETIONS, Exchange

_MARKER: Final = "cache_control"
"""Marker of the prompt cache."""
_REASONING: Final = frozenset({"thinking", "redacted_thinking"})


class ChatMessages:
    """Collects the Chat Completions messages of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self.out: list[JsonObject] = []
        self._quirks, self._is_lossless = exchange.quirks, exchange.is_lossless
        self._exchange = exchange

    def add_system(self, system: object, where: str = "system") -> None:
        """Add the system prompt, if there is one."""
        parts = [self._part(block, place) for block, place in parts_of(system, where)]
        if parts:
            self._append({"role": "system", "content": self._content(parts)}, where)

    def _append(self, message: JsonObject, where: str) -> None:
        self._exchange.note(message, where)
        self.out.append(message)

    def add_all(self, messages: object) -> None:
        """Add the messages of a request."""
        for message, where in objects(messages, "messages"):
            place = f"{where}.content"
            match message.get("role"):
                case "user":
                    self._add_user(message.get("content"), place)
                case "assistant":
                    self._add_assistant(message.get("content"), place)
                case "system":
                    self.add_system(message.get("content"), place)
                case _:
                    raise MalformedBody(f"{where}.role must be user, assistant or system.", param=f"{where}.role")

    def _add_user(self, content: object, where: str) -> None:
        if isinstance(content, str):
            self._append({"role": "user", "content": content}, where)
            return
        said: list[JsonObject] = []
        shown: list[JsonObject] = []
        results = 0
        for block, place in parts_of(content, where):
            if block.get("type") == "tool_result":
                shown.extend(self._add_result(block, place))
                results += 1
            else:
                said.extend(self._parts(block, place))
        if shown or said or not results:
            self._append({"role": "user", "content": self._content(shown + said)}, where)

    def _add_result(self, block: JsonObject, where: str) -> list[JsonObject]:
        """Add a tool message; return the parts that it cannot contain."""
        call = text_in(block, "tool_use_id", where)
        marker, is_error = block.get(_MARKER), block.get("is_error")
        text = None if marker or is_error else lone_text(block.get("content"), marker=_MARKER)
        if text is not None:
            self._append({"role": "tool", "tool_call_id": call, "content": text}, where)
            return []
        inner: list[JsonObject] = []
        for sub, at in parts_of(block.get("content"), f"{where}.content"):
            inner += self._parts(sub, at)
        if is_error:
            # Chat Completions has no flag for it; the model reads this word.
            if not inner or inner[0]["type"] != "text":
                inner.insert(0, {"type": "text", "text": ""})
            inner[0]["text"] = f"Error: {inner[0]['text']}"
        held, others = split_tool_result(inner, call, rich=self._is_lossless)
        if held and marker:
            self._mark(block, held[-1])
        self._append({"role": "tool", "tool_call_id": call, "content": self._content(held)}, where)
        return others

    def _add_assistant(self, content: object, where: str) -> None:
        said: list[JsonObject] = []
        calls: list[JsonObject] = []
        thoughts: list[Placed] = []
        for block, place in parts_of(content, where):
            kind = kind_of(block, place)
            if kind == "tool_use":
                calls.append(_call(block, place))
                self._exchange.note(calls[-1], place)
            elif kind in _REASONING:
                thoughts.append(Placed(block, len(said) + len(calls)))
            elif kind == "text":
                said.append(self._text(block, place))
            elif kind == "compaction" and isinstance(block.get("content"), str):
                said.append({"type": "text", "text": block["content"]})
            elif kind in PROVIDERS_OWN:
                leave_out(kind, place, self._exchange, CHAT_COMPLETIONS)
            elif kind != "fallback":  # It only names the model of Anthropic's that answered.
                raise unsupported_kind(block, place, CHAT_COMPLETIONS)
        if not said and not calls and content and not thoughts:
            return  # All of it was omitted.
        message: JsonObject = {"role": "assistant", "content": self._content(said) if said or not calls else None}
        if calls:
            message["tool_calls"] = calls
        self._think(thoughts, message)
        self._append(message, where)

    def _think(self, thoughts: list[Placed], message: JsonObject) -> None:
        if not thoughts and self._quirks.call_signatures == "none":
            return
        signed = [read_signature(thought.block.get("data")) for thought in thoughts]
        if self._quirks.call_signatures != "none":
            sign_calls(message, dict(filter(None, signed)), are_required=self._quirks.call_signatures == "required")
        history = self._quirks.reasoning_history
        own = [thought for thought, signature in zip(thoughts, signed, strict=True) if signature is None]
        text = "".join(thought.block["thinking"] for thought in own if isinstance(thought.block.get("thinking"), str))
        if text and history == "reasoning_content":
            message["reasoning_content"] = text
        elif own and history == "reasoning_details":
            details = [detail_of(thought.block, index) for index, thought in enumerate(own)]
            if self._is_lossless:
                for detail, thought in zip(details, own, strict=True):
                    detail[POSITION] = thought.position
            message["reasoning_details"] = details

    def _parts(self, block: JsonObject, where: str) -> list[JsonObject]:
        """Return the parts for one content block; a document may have several."""
        match kind_of(block, where):
            case "document":
                return self._document(block, where)
            case "search_result":
                head = "\n".join(str(block[name]) for name in ("title", "source") if block.get(name))
                inner = [self._part(part, place) for part, place in parts_of(block.get("content"), f"{where}.content")]
                return [{"type": "text", "text": head}, *inner] if head else inner
            case _:
                return [self._part(block, where)]

    def _part(self, block: JsonObject, where: str) -> JsonObject:
        match kind_of(block, where):
            case "text":
                return self._text(block, where)
            case "image":
                part: JsonObject = {"type": "image_url", "image_url": {"url": _image(block, where)}}
                self._exchange.note(part, where)
                self._mark(block, part)
                return part
        raise unsupported_kind(block, where, CHAT_COMPLETIONS)

    def _text(self, block: JsonObject, where: str) -> JsonObject:
        part: JsonObject = {"type": "text", "text": text_in(block, "text", where)}
        self._exchange.note(part, where)
        if _MARKER in block:
            self._mark(block, part)
        return part

    def _document(self, block: JsonObject, where: str) -> list[JsonObject]:
        if as_object(block.get("citations") or {}, f"{where}.citations").get("enabled"):
            raise unsupported(f"{where}.citations", CHAT_COMPLETIONS)
        place = f"{where}.source"
        source = as_object(block.get("source"), place)
        title = block.get("title") if isinstance(block.get("title"), str) else None
        head = [str(block["context"])] if block.get("context") else []
        match kind_of(source, place):
            case "base64":
                media_type, data = media_type_of(text_in(source, "media_type", place), title), text_in(source, "data", place)
                text = text_of_data(media_type, data)
                if text is not None:
                    head = [title, *head] if title else head
                    parts: list[JsonObject] = [{"type": "text", "text": text}]
                else:
                    url = data_url(media_type, data)
                    parts = [{"type": "file", "file": {"filename": title or "document.pdf", "file_data": url}}]
            case "url" if self._is_lossless:
                file = {"file_url": text_in(source, "url", place)}
                parts = [{"type": "file", "file": {**file, "filename": title} if title else file}]
            case "text":
                head = [title, *head] if title else head
                parts = [{"type": "text", "text": text_in(source, "data", place)}]
            case "content":
                head = [title, *head] if title else head
                parts = [self._part(part, at) for part, at in parts_of(source.get("content"), f"{place}.content")]
            case _:
                raise unsupported_kind(source, place, CHAT_COMPLETIONS)
        if parts:
            self._exchange.note(parts[-1], where)
            self._mark(block, parts[-1])
        return [{"type": "text", "text": "\n".join(head)}, *parts] if head else parts

    def _mark(self, block: JsonObject, part: JsonObject) -> None:
        """Translate a prompt cache marker."""
        marker = block.get(_MARKER)
        if marker and self._quirks.cache_markers == "cache_control":
            part["cache_control"] = marker
        elif marker and self._quirks.cache_markers == "prompt_cache_breakpoint":
            part["prompt_cache_breakpoint"] = {"mode": "explicit"}

    def _content(self, parts: list[JsonObject]) -> str | list[JsonObject]:
        """Return content in the most widely supported form: a string if nothing is lost."""
        if not parts:
            return ""
        if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
            return str(parts[0]["text"])
        if self._quirks.joins_text and all(part["type"] == "text" for part in parts):
            return "\n".join(part["text"] for part in parts)
        return parts


def _image(block: JsonObject, where: str) -> str:
    place = f"{where}.source"
    source = as_object(block.get("source"), place)
    match kind_of(source, place):
        case "base64":
            media_type = media_type_of(text_in(source, "media_type", place))
            return data_url(media_type, text_in(source, "data", place))
        case "url":
            return text_in(source, "url", place)
        case _:  # file: an id that only Anthropic can resolve.
            raise unsupported_kind(source, place, CHAT_COMPLETIONS)


def _call(block: JsonObject, where: str) -> JsonObject:
    arguments = dump(block.get("input") or {}, f"{where}.input")
    return {
        "id": text_in(block, "id", where),
        "type": "function",
        "function": {"name": text_in(block, "name", where), "arguments": arguments},
    }
