"""Messages of Chat Completions -> turns of Converse."""

from collections.abc import Callable
from typing import Final

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.custom_tools import FIELD
from ext_proc.translate.chat_completions.reasoning import Placed, blocks_of_history, interleave
from ext_proc.translate.chat_completions.refusals import refuse_history
from ext_proc.translate.converse.blocks import media_of_url, reasoning_block, tool_result, tool_use_id
from ext_proc.translate.converse.families import Family
from ext_proc.translate.converse.turns import Turns
from ext_proc.translate.json_fields import kind_of, named_in, object_in, objects, text_in, unsupported, unsupported_kind
from ext_proc.translate.parts import arguments_object
from ext_proc.translate.translation import CONVERSE, Exchange

Blocks = list[JsonObject]

_EPHEMERAL: Final = {"type": "ephemeral"}


class ConverseTurnsOfChat:
    """Collects the turns of one request."""

    def __init__(self, family: Family, exchange: Exchange) -> None:
        self.turns = Turns(caches=family.caches)
        self._family, self._exchange = family, exchange

    def add_all(self, messages: object) -> None:
        """Add the messages of a request."""
        for message, where in objects(messages, "messages"):
            match message.get("role"):
                case "system" | "developer":
                    self.turns.instruct(self._texts(message, where))
                case "user":
                    self.turns.add("user", self._said(message, where))
                case "assistant":
                    self.turns.add("assistant", self._answered(message, where))
                case "tool":
                    self.turns.add("user", self._result(message, where))
                case _:
                    raise MalformedBody(f"{where}.role is not a role of Chat Completions.", param=f"{where}.role")
        self.turns.finish()

    def _texts(self, message: JsonObject, where: str) -> Blocks:
        return self._marked(message, self._blocks(message.get("content"), where, _text))

    def _said(self, message: JsonObject, where: str) -> Blocks:
        return self._marked(message, self._blocks(message.get("content"), where, self._block))

    def _blocks(self, content: object, where: str, read: Callable[[JsonObject, str], JsonObject]) -> Blocks:
        out: Blocks = []
        if isinstance(content, str):
            self.turns.put(out, {"text": content})
            return out
        for part, place in objects(content, f"{where}.content"):
            self.turns.put(out, read(part, place), _marker(part))
        return out

    def _answered(self, message: JsonObject, where: str) -> Blocks:
        refuse_history(message, where, CONVERSE)
        thoughts = blocks_of_history(message) if self._family.is_claude else []
        out = self._blocks(message.get("content"), where, _answer)
        if message.get("refusal"):
            self.turns.put(out, {"text": text_in(message, "refusal", where)})
        calls = message.get("tool_calls")
        if calls is not None:
            for call, place in objects(calls, f"{where}.tool_calls"):
                self.turns.put(out, self._call(call, place), _marker(call))
        placed = [Placed(reasoning_block(thought.block), thought.position) for thought in thoughts]
        return self._marked(message, interleave(placed, out))

    def _call(self, call: JsonObject, where: str) -> JsonObject:
        kind = "custom" if call.get("type") == "custom" else "function"
        called, name = named_in(call, kind, where)
        self.turns.called[name] = None
        if kind == "custom":
            given: JsonObject = {FIELD: text_in(called, "input", f"{where}.custom")}
        else:
            given = arguments_object(called.get("arguments"))
        return {"toolUse": {"toolUseId": tool_use_id(text_in(call, "id", where)), "name": name, "input": given}}

    def _result(self, message: JsonObject, where: str) -> Blocks:
        content = message.get("content")
        held = self._blocks(content, where, self._block)
        point = None
        if not isinstance(content, str):
            # A part of a result cannot be marked, so the whole is.
            point = next((block for block in reversed(held) if "cachePoint" in block), None)
            held = [block for block in held if "cachePoint" not in block]
        result = tool_result(text_in(message, "tool_call_id", where), held, is_error=False, takes_status=False)
        return self._marked(message, [result, point] if point else [result])

    def _marked(self, message: JsonObject, blocks: Blocks) -> Blocks:
        """Move a cache marker of the message to its end."""
        if message.get("cache_control") and blocks and "cachePoint" not in blocks[-1]:
            self.turns.put(blocks, blocks.pop(), message["cache_control"])
        return blocks

    def _block(self, part: JsonObject, where: str) -> JsonObject:
        kind = kind_of(part, where)
        match kind:
            case "text":
                return _text(part, where)
            case "image_url" | "video_url":
                place = f"{where}.{kind}"
                url = text_in(object_in(part, kind, where), "url", place)
                medium = kind.removesuffix("_url")
                return {medium: media_of_url(medium, url, place)}
            case "input_audio":
                place = f"{where}.input_audio"
                audio = object_in(part, "input_audio", where)
                data, form = (text_in(audio, name, place) for name in ("data", "format"))
                return {"audio": {"format": form, "source": {"bytes": data}}}
            case "file":
                return {"document": self._document(object_in(part, "file", where), f"{where}.file")}
        raise unsupported_kind(part, where, CONVERSE)

    def _document(self, file: JsonObject, where: str) -> JsonObject:
        given = next((name for name in ("file_url", "file_data") if file.get(name) is not None), None)
        if given is None:  # file_id: OpenAI's storage.
            raise unsupported(f"{where}.file_id", CONVERSE)
        held = media_of_url("document", text_in(file, given, where), f"{where}.{given}", file.get("filename"))
        return {**held, "name": self.turns.name(file.get("filename"))}


def _answer(part: JsonObject, where: str) -> JsonObject:
    return {"text": text_in(part, "refusal", where)} if part.get("type") == "refusal" else _text(part, where)


def _text(part: JsonObject, where: str) -> JsonObject:
    if kind_of(part, where) != "text":
        raise unsupported_kind(part, where, CONVERSE)
    return {"text": text_in(part, "text", where)}


def _marker(part: JsonObject) -> object:
    """Return a marker of the prompt cache: OpenRouter's spelling, which is Anthropic's, or OpenAI's."""
    return part.get("cache_control") or (_EPHEMERAL if part.get("prompt_cache_breakpoint") else None)
