"""Messages of Chat Completions -> input items of the Responses API: a message becomes its reasoning, text and calls."""

from ext_proc.codec.json_body import JsonObject
from ext_proc.errors import MalformedBody
from ext_proc.translate.chat_reasoning import thought_blocks, thoughts_of
from ext_proc.translate.fields import as_object, as_text, kind_of, objects, parts_of, unsupported
from ext_proc.translate.profile import Profile
from ext_proc.translate.reasoning_items import openai_item
from ext_proc.translate.translation import RESPONSES


class InputItems:
    """Collects the input items of one request."""

    def __init__(self, profile: Profile) -> None:
        self.out: list[JsonObject] = []
        self._profile = profile
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

    def _add_assistant(self, message: JsonObject, where: str) -> None:
        for name in ("audio", "function_call"):
            if message.get(name) is not None:
                raise unsupported(f"{where}.{name}", RESPONSES)
        for block in thought_blocks(thoughts_of(message)):
            item = openai_item(block["thinking"], block["signature"]) if block["type"] == "thinking" else None
            if item is not None:
                self.out.append(item)
        said = [_said(part, place) for part, place in parts_of(message.get("content"), f"{where}.content")]
        if message.get("refusal"):
            said.append({"type": "refusal", "refusal": as_text(message["refusal"], f"{where}.refusal")})
        calls = list(objects(message.get("tool_calls"), f"{where}.tool_calls"))
        if said or not calls:
            plain = len(said) == 1 and said[0]["type"] == "output_text"
            content = said[0]["text"] if plain else said or ""
            self.out.append({"type": "message", "role": "assistant", "content": content})
        for call, place in calls:
            self._add_call(call, place)

    def _add_call(self, call: JsonObject, where: str) -> None:
        ident = as_text(call.get("id"), f"{where}.id")
        if call.get("type") == "custom":
            self._custom.add(ident)
            custom = as_object(call.get("custom"), f"{where}.custom")
            item: JsonObject = {"type": "custom_tool_call", "call_id": ident}
            item["name"] = as_text(custom.get("name"), f"{where}.custom.name")
            item["input"] = as_text(custom.get("input"), f"{where}.custom.input")
        else:
            function = as_object(call.get("function"), f"{where}.function")
            item = {"type": "function_call", "call_id": ident}
            item["name"] = as_text(function.get("name"), f"{where}.function.name")
            item["arguments"] = as_text(function.get("arguments") or "{}", f"{where}.function.arguments")
        self.out.append(item)

    def _add_result(self, message: JsonObject, where: str) -> None:
        ident = as_text(message.get("tool_call_id"), f"{where}.tool_call_id")
        kind = "custom_tool_call_output" if ident in self._custom else "function_call_output"
        output = self._content(message.get("content"), f"{where}.content")
        self.out.append({"type": kind, "call_id": ident, "output": output})

    def _content(self, content: object, where: str) -> str | list[JsonObject]:
        parts = [self._part(part, place) for part, place in parts_of(content, where)]
        if not parts:
            return ""
        if len(parts) == 1 and parts[0].keys() == {"type", "text"}:
            return str(parts[0]["text"])
        return parts

    def _part(self, part: JsonObject, where: str) -> JsonObject:
        match kind_of(part, where):
            case "text":
                out: JsonObject = {"type": "input_text", "text": as_text(part.get("text"), f"{where}.text")}
            case "image_url":
                image = as_object(part.get("image_url"), f"{where}.image_url")
                url = as_text(image.get("url"), f"{where}.image_url.url")
                out = {"type": "input_image", "image_url": url, "detail": image.get("detail") or "auto"}
            case "file":
                out = {"type": "input_file", **as_object(part.get("file"), f"{where}.file")}
            case _:  # input_audio, and what we do not know.
                raise unsupported(f"{where}.type", RESPONSES)
        if part.get("prompt_cache_breakpoint"):
            out["prompt_cache_breakpoint"] = part["prompt_cache_breakpoint"]
        elif part.get("cache_control") and self._profile.cache_markers == "prompt_cache_breakpoint":
            out["prompt_cache_breakpoint"] = {"mode": "explicit"}
        return out


def _said(part: JsonObject, where: str) -> JsonObject:
    match kind_of(part, where):
        case "text":
            return {"type": "output_text", "text": as_text(part.get("text"), f"{where}.text")}
        case "refusal":
            return {"type": "refusal", "refusal": as_text(part.get("refusal"), f"{where}.refusal")}
        case _:
            raise unsupported(f"{where}.type", RESPONSES)
