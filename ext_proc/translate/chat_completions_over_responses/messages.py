"""Messages of Chat Completions -> input items of the Responses API: a message becomes its reasoning, text and calls."""

from typing import Any

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_completions.reasoning import Placed, interleave, placed_blocks, thoughts_of
from ext_proc.translate.chat_completions.refusals import refuse_history
from ext_proc.translate.json_fields import as_text, kind_of, named_in, object_in, objects, parts_of, text_in, unsupported_kind
from ext_proc.translate.responses.reasoning_items import openai_item
from ext_proc.translate.translation import RESPONSES, Exchange


class InputItems:
    """Collects the input items of one request."""

    def __init__(self, exchange: Exchange) -> None:
        self.out: list[JsonObject] = []
        self._quirks = exchange.quirks
        self._custom: set[str] = set()
        """Ids of calls of custom tools, whose results are items of another type."""

    def add_all(self, messages: object) -> None:
        """Add the messages of a request."""
        for message, where in objects(messages, "messages"):
            match message.get("role"):
                case "system" | "developer" | "user" as role:
                    content = self._content(message.get("content"), f"{where}.content")
                    self.out.append({"type": "message", "role": role, "content": content})
                case "assistant":
                    self._add_assistant(message, where)
                case "tool":
                    self._add_result(message, where)
                case _:
                    raise MalformedBody(f"{where}.role is not a role of Chat Completions.", param=f"{where}.role")

    def take_instructions(self) -> str:
        """Remove and return the instructions at the beginning of the input, as one text; "" if there are none."""
        texts: list[str] = []
        while self.out and self.out[0].get("role") in ("system", "developer"):
            content = self.out.pop(0)["content"]
            texts += [content] if isinstance(content, str) else [part["text"] for part in content if "text" in part]
        return "\n\n".join(texts)

    def _add_assistant(self, message: JsonObject, where: str) -> None:
        refuse_history(message, where, RESPONSES)
        said = _content_of_assistant(message, where)
        calls = list(objects(message.get("tool_calls"), f"{where}.tool_calls"))
        texts = [{"type": "message", "role": "assistant", "content": part} for part in _texts(said)]
        made = [*(texts if said or not calls else ()), *(self._call(call, place) for call, place in calls)]
        self.out += interleave(_own_reasoning(message), made) if message.get("reasoning_details") else made

    def _call(self, call: JsonObject, where: str) -> JsonObject:
        ident = text_in(call, "id", where)
        if call.get("type") == "custom":
            self._custom.add(ident)
            custom, name = named_in(call, "custom", where)
            item: JsonObject = {"type": "custom_tool_call", "call_id": ident, "name": name}
            item["input"] = text_in(custom, "input", f"{where}.custom")
        else:
            function, name = named_in(call, "function", where)
            item = {"type": "function_call", "call_id": ident, "name": name}
            item["arguments"] = as_text(function.get("arguments") or "{}", f"{where}.function.arguments")
        return item

    def _add_result(self, message: JsonObject, where: str) -> None:
        ident = text_in(message, "tool_call_id", where)
        kind = "custom_tool_call_output" if ident in self._custom else "function_call_output"
        output = self._content(message.get("content"), f"{where}.content")
        self.out.append({"type": kind, "call_id": ident, "output": output})

    def _content(self, content: object, where: str) -> str | list[JsonObject]:
        if isinstance(content, str):
            return content
        parts = [self._part(part, place) for part, place in objects(content, where)]
        if not parts:
            return ""
        if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
            return str(parts[0]["text"])
        return parts

    def _part(self, part: JsonObject, where: str) -> JsonObject:
        match kind_of(part, where):
            case "text":
                out: JsonObject = {"type": "input_text", "text": text_in(part, "text", where)}
            case "image_url":
                image = object_in(part, "image_url", where)
                url = as_text(image.get("url"), f"{where}.image_url.url")
                out = {"type": "input_image", "image_url": url, "detail": image.get("detail") or "auto"}
            case "file":
                out = {"type": "input_file", **object_in(part, "file", where)}
            case _:  # input_audio, and unknown parts.
                raise unsupported_kind(part, where, RESPONSES)
        if part.get("prompt_cache_breakpoint"):
            out["prompt_cache_breakpoint"] = part["prompt_cache_breakpoint"]
        elif part.get("cache_control") and self._quirks.cache_markers == "prompt_cache_breakpoint":
            out["prompt_cache_breakpoint"] = {"mode": "explicit"}
        return out


def _own_reasoning(message: JsonObject) -> list[Placed]:
    """Return OpenAI's own reasoning items."""
    placed = placed_blocks(thoughts_of(message))
    items = [openai_item(block["thinking"], block["signature"]) for block, _ in placed if block["type"] == "thinking"]
    places = [position for block, position in placed if block["type"] == "thinking"]
    return [Placed(item, position) for item, position in zip(items, places, strict=True) if item is not None]


def _texts(said: str | list[JsonObject]) -> list[Any]:
    """Return the contents of the messages for texts, with thoughts possibly between them."""
    return [said] if isinstance(said, str) or len(said) < 2 else [[part] for part in said]


def _content_of_assistant(message: JsonObject, where: str) -> str | list[JsonObject]:
    content = message.get("content")
    if isinstance(content, str) and not message.get("refusal"):
        return content
    said = [_said(part, place) for part, place in parts_of(content, f"{where}.content")]
    if message.get("refusal"):
        said.append({"type": "refusal", "refusal": text_in(message, "refusal", where)})
    if len(said) == 1 and said[0]["type"] == "output_text":
        return str(said[0]["text"])
    return said or ""


def _said(part: JsonObject, where: str) -> JsonObject:
    match kind_of(part, where):
        case "text":
            return {"type": "output_text", "text": text_in(part, "text", where)}
        case "refusal":
            return {"type": "refusal", "refusal": text_in(part, "refusal", where)}
        case _:
            raise unsupported_kind(part, where, RESPONSES)
