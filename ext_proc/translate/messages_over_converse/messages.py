"""Messages of Anthropic's API -> turns of Converse: the two are close, block by block."""

from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.reasoning import is_verifiable
from ext_proc.translate.converse.blocks import media, media_of_url, reasoning_block, tool_result, tool_use_id
from ext_proc.translate.converse.families import Family
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.json_fields import as_list, as_object, kind_of, lone_text, objects, parts_of, text_in, unsupported_kind
from ext_proc.translate.messages.tools import PROVIDERS_OWN
from ext_proc.translate.provider_tools import leave_out
from ext_proc.translate.translation import CONVERSE, Exchange

_MARKER: Final = "cache_control"
"""Marker of the prompt cache."""
_REASONING: Final = frozenset({"thinking", "redacted_thinking"})

Blocks = list[JsonObject]


class ConverseTurnsOfMessages:
    """Collects the turns of one request."""

    def __init__(self, family: Family, exchange: Exchange) -> None:
        self.turns = Turns(caches=family.caches)
        self._family, self._exchange = family, exchange

    def add_system(self, system: object, where: str = "system") -> None:
        """Add the system prompt, if there is one, or instructions within the conversation."""
        out: Blocks = []
        for block, place in parts_of(system, where):
            if kind_of(block, place) != "text":
                raise unsupported_kind(block, place, CONVERSE)
            self.turns.put(out, {"text": text_in(block, "text", place)}, block.get(_MARKER))
        self.turns.instruct(out)

    def add_all(self, messages: object) -> None:
        """Add the messages of a request."""
        for message, where in objects(messages, "messages"):
            place = f"{where}.content"
            match message.get("role"):
                case "user":
                    self.turns.add("user", self._said(message.get("content"), place))
                case "assistant":
                    self.turns.add("assistant", self._answered(message.get("content"), place))
                case "system":
                    self.add_system(message.get("content"), place)
                case _:
                    raise MalformedBody(f"{where}.role must be user, assistant or system.", param=f"{where}.role")

    def _said(self, content: object, where: str) -> Blocks:
        out: Blocks = []
        for block, place in parts_of(content, where):
            if block.get("type") == "tool_result":
                self.turns.put(out, self._result(block, place), block.get(_MARKER) or _marker_within(block))
            else:
                self.turns.put(out, self._block(block, place), block.get(_MARKER))
        return out

    def _answered(self, content: object, where: str) -> Blocks:
        out: Blocks = []
        for block, place in parts_of(content, where):
            kind = kind_of(block, place)
            if kind == "tool_use":
                made = self._call(block, place)
            elif kind == "text":
                made = {"text": text_in(block, "text", place)}
            elif kind == "compaction" and isinstance(block.get("content"), str):
                made = {"text": block["content"]}
            elif kind in PROVIDERS_OWN:
                leave_out(kind, place, self._exchange, CONVERSE)
                continue
            elif kind == "fallback":
                continue  # It only names the model of Anthropic's that answered.
            elif kind not in _REASONING:
                raise unsupported_kind(block, place, CONVERSE)
            elif self._is_taken_back(block):
                made = reasoning_block(block)
            else:
                continue
            self.turns.put(out, made, block.get(_MARKER))
        return out

    def _is_taken_back(self, block: JsonObject) -> bool:
        """Whether the model can verify this reasoning: models only accept reasoning that they have signed."""
        return self._family.is_claude and is_verifiable(block)

    def _call(self, block: JsonObject, where: str) -> JsonObject:
        name = text_in(block, "name", where)
        self.turns.called[name] = None
        ident = tool_use_id(text_in(block, "id", where))
        return {"toolUse": {"toolUseId": ident, "name": name, "input": as_object(block.get("input") or {}, f"{where}.input")}}

    def _result(self, block: JsonObject, where: str) -> JsonObject:
        inner: Blocks = []
        content = block.get("content")
        text = lone_text(content, marker=_MARKER)
        if text is not None:
            self.turns.put(inner, {"text": text})
        else:
            for part, place in objects(content, f"{where}.content"):
                self.turns.put(inner, self._block(part, place))
        return tool_result(
            text_in(block, "tool_use_id", where),
            inner,
            is_error=bool(block.get("is_error")),
            takes_status=self._family.takes_result_status,
        )

    def _block(self, block: JsonObject, where: str) -> JsonObject:
        match kind_of(block, where):
            case "text":
                return {"text": text_in(block, "text", where)}
            case "image":
                return {"image": _media("image", block, where)}
            case "document":
                return {"document": self._document(block, where)}
            case "search_result":
                return {"searchResult": _search_result(block, where)}
        raise unsupported_kind(block, where, CONVERSE)

    def _document(self, block: JsonObject, where: str) -> JsonObject:
        place = f"{where}.source"
        source = as_object(block.get("source"), place)
        match source.get("type"):
            case "text":
                held: JsonObject = {"format": "txt", "source": {"text": text_in(source, "data", place)}}
            case "content":
                texts = [_text_of(part, at) for part, at in parts_of(source.get("content"), f"{place}.content")]
                held = {"format": "txt", "source": {"content": texts}}
            case _:
                held = _media("document", block, where)
        held["name"] = self.turns.name(block.get("title"))
        if block.get("context"):
            held["context"] = text_in(block, "context", where)
        return _cited(block, held)


def _marker_within(result: JsonObject) -> object:
    """Return the last prompt cache marker in a result, which can only be marked as a whole."""
    content = result.get("content")
    for part in reversed(content) if isinstance(content, list) else ():
        if isinstance(part, dict) and part.get(_MARKER):
            return part[_MARKER]
    return None


def _media(kind: str, block: JsonObject, where: str) -> JsonObject:
    place = f"{where}.source"
    source = as_object(block.get("source"), place)
    match kind_of(source, place):
        case "base64":
            media_type, data = (text_in(source, name, place) for name in ("media_type", "data"))
            return media(kind, media_type, data, f"{place}.media_type", block.get("title"))
        case "url":
            return media_of_url(kind, text_in(source, "url", place), f"{place}.url")
    raise unsupported_kind(source, place, CONVERSE)  # file: an id that only Anthropic can resolve.


def _search_result(block: JsonObject, where: str) -> JsonObject:
    texts = [_text_of(part, at) for part, at in objects(as_list(block.get("content"), f"{where}.content"), f"{where}.content")]
    source, title = (text_in(block, name, where) for name in ("source", "title"))
    return _cited(block, {"source": source, "title": title, "content": texts})


def _text_of(part: JsonObject, where: str) -> JsonObject:
    if kind_of(part, where) != "text":
        raise unsupported_kind(part, where, CONVERSE)
    return {"text": text_in(part, "text", where)}


def _cited(block: JsonObject, held: JsonObject) -> JsonObject:
    citations = block.get("citations")
    if isinstance(citations, dict) and citations.get("enabled") is not None:
        held["citations"] = {"enabled": citations["enabled"]}
    return held
